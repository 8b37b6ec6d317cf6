/** What an archive leaves out, and why. Unlogged tables are left out as well. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  migrations: 'the restore runs them',
  job_workers: 'processes of the old instance',
  sessions: 'what was ended since would be open again: everybody signs in anew',
  refresh_tokens: 'as their sessions',
  sign_in_challenges: 'half sign-ins',
  passkey_challenges: 'half sign-ins',
  openid_flows: 'half sign-ins',
  mailed_links: 'what was used since would work once more: whoever needs one asks for another',
};

/** What migrations put rows into, which an empty instance therefore has. */
export const BORN_FILLED: readonly string[] = ['migrations', 'lead_totals', 'mail_server_state'];
/** What says nothing about whether an instance is empty. */
export const PASSING: readonly string[] = ['job_workers'];
