export { payment } from './payment.js';
