/**
 * Payconiq's formats for callers of their own, as `holdfast/payconiq`: pure functions, no network,
 * no configuration. Those that can be given something wrong answer with a value or with violations.
 */
export type { Checked, Violation } from '../../domain/problem.js';
export type { Money } from '../../domain/money.js';
export {
  appLink,
  browserLink,
  checkoutLink,
  mobileSystemOf,
  type AppLink,
  type BrowserLink,
  type MobileSystem,
} from './formats/app-links.js';
export {
  BRAND,
  QR_COLOURS,
  QR_DEFAULTS,
  QR_FORMATS,
  QR_SIZES,
  frameBorderPx,
  qrFormatFor,
  qrSizeFor,
  type QrColour,
  type QrFormat,
  type QrSize,
} from './formats/display.js';
export { buildOgm, formatOgm, parseOgm, type Ogm } from './formats/ogm.js';
export { renderQr, type QrImage, type QrImageRequest } from './formats/qr-image.js';
export {
  PORTALS,
  parseStickerUrl,
  parseTemplateUrl,
  qrServiceUrl,
  stickerUrl,
  structuredInvoiceUrl,
  styleQrLink,
  templateUrl,
  type Portal,
  type QrServiceRequest,
  type QrStyle,
  type Sticker,
  type StructuredInvoice,
  type Template,
} from './formats/qr-links.js';
export {
  buildRemittance,
  endToEndIdOf,
  parseRemittance,
  type BulkPayoutRemittance,
  type PartnerPaymentRemittance,
  type PaymentRemittance,
  type RefundRemittance,
  type Remittance,
  type StatementEntry,
  type StructuredInvoiceRemittance,
} from './formats/remittance.js';
