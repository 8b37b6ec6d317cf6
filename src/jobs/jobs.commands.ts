import type { Command } from '../common/command.js';
import { JobRecordsService } from './job-records.service.js';

/** Looks at the background work from the command line. */
export const JOB_COMMANDS: readonly Command[] = [
  {
    name: 'jobs:status',
    changes: false,
    doc: 'Says how the background work stands. Ends with 1 when no process runs jobs, or when jobs failed for good.',
    options: {},
    async run(app, _options, say) {
      const status = await app.get(JobRecordsService).status();
      const { waiting, oldestWaitingSeconds, later, running, buried, workers, scheduled } = status;
      say(
        `${waiting} jobs wait, the oldest for ${Math.round(oldestWaitingSeconds)} s; ${running} run, ${later} are for later`,
      );
      say(`${buried} failed for good: GET /api/v1/admin/jobs/buried says why`);
      if (workers.length === 0) say('no process runs jobs');
      for (const { id, startedAt, seenAt } of workers)
        say(`${id} runs jobs since ${startedAt.toISOString()}, seen ${seenAt.toISOString()}`);
      for (const { name, everyMinutes, nextAt } of scheduled)
        say(`${name}, every ${everyMinutes} min: ${nextAt === null ? 'not planned' : `next ${nextAt.toISOString()}`}`);
      return workers.length > 0 && buried === 0;
    },
  },
];
