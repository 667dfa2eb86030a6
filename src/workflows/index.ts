export { payment } from './payment.js';
export { reconciliation } from './reconciliation.js';
export { refund } from './refund.js';
export { sweep } from './sweep.js';
