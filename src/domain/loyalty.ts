/** Payments that a provider registers at a loyalty scheme of ours, for the scheme to work off. */

/** Whose account at the scheme. Personal. */
export interface LoyaltyMember {
  readonly memberId: string;
  /** Of the merchant at the scheme. */
  readonly merchantAccountId?: string;
}

/** What the scheme made of a payment. */
export interface LoyaltyResult {
  /** Of the member's account, in the scheme's own unit. */
  readonly balance?: number;
  /** By this payment, in the scheme's own unit. */
  readonly earned?: number;
  /** To the member. */
  readonly message?: string;
}
