export { payment } from './payment.js';
export { sweep } from './sweep.js';
