/** Where a lead stands. Every lead begins as PENDING. */
export enum LeadStatus {
  Pending = 'PENDING',
  ReachedOut = 'REACHED_OUT',
}

/** What may follow what. Reverting means that the contact did not happen after all. */
const NEXT: Readonly<Record<LeadStatus, readonly LeadStatus[]>> = {
  [LeadStatus.Pending]: [LeadStatus.ReachedOut],
  [LeadStatus.ReachedOut]: [LeadStatus.Pending],
};

export function canFollow(from: LeadStatus, to: LeadStatus): boolean {
  return NEXT[from].includes(to);
}
