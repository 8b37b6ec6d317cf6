/** Work that comes round again; it has no payload. */
export interface ScheduledJob {
  readonly name: string;
  /** From the end of one run to the beginning of the next. */
  readonly everyMinutes: number;
  /** What it does, for operators. */
  readonly doc: string;
}

const DAY = 24 * 60;

/** Everything that runs by itself. The module whose work it is hands the handler to `JobsService.schedule`. */
export const SCHEDULED = {
  extractTexts: { name: 'files.extract_texts', everyMinutes: 1, doc: 'reads what new files say, for searches' },
  watchRoom: { name: 'files.watch_room', everyMinutes: 10, doc: 'alerts operators before there is no room for files' },
  watchMailPause: {
    name: 'mail.watch_pause',
    everyMinutes: 1,
    doc: 'tries the mail server where mail waits for it and nobody would',
  },
  sweepFiles: { name: 'files.sweep', everyMinutes: 60, doc: 'removes what crashes left behind of uploads' },
  purgeFiles: { name: 'files.purge', everyMinutes: 60, doc: 'destroys files that were deleted long enough ago' },
  forgetSessions: {
    name: 'auth.forget_sessions',
    everyMinutes: 60,
    doc: 'removes sessions and refresh tokens long over',
  },
  forgetOpenidFlows: {
    name: 'auth.forget_openid_flows',
    everyMinutes: 60,
    doc: 'removes sign-ins with providers that are over, or were given up',
  },
  sweepSignInLocks: {
    name: 'auth.sweep_sign_in_locks',
    everyMinutes: 60,
    doc: 'forgets failed sign-ins, and where accounts are not used from any more',
  },
  sweepLinks: { name: 'auth.sweep_links', everyMinutes: DAY, doc: 'removes mailed links long over' },
  forgetChallenges: {
    name: 'auth.forget_challenges',
    everyMinutes: 60,
    doc: 'removes sign-ins whose second step nobody took in time',
  },
  careForApiKeys: {
    name: 'auth.care_for_api_keys',
    everyMinutes: 60,
    doc: 'tells owners a week before an API key expires, and removes keys long over',
  },
  retain: {
    name: 'privacy.retain',
    everyMinutes: DAY,
    doc: 'removes what was kept as long as RETENTION_LEADS_DAYS and RETENTION_MAIL_DAYS say',
  },
  compareErasureNotes: {
    name: 'privacy.compare_erasure_notes',
    everyMinutes: DAY,
    doc: 'notes down outside of the database which erasures there were, and alerts operators when it does not know of one',
  },
  checkFiles: { name: 'files.check', everyMinutes: DAY, doc: 'alerts operators to files whose bytes are missing' },
} as const satisfies Readonly<Record<string, ScheduledJob>>;
