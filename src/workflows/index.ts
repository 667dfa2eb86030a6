export { payment } from './payment.js';
export { refund } from './refund.js';
export { sweep } from './sweep.js';
