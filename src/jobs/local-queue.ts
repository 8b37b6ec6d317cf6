import type { WorkerEvents } from 'graphile-worker';

/** Private in graphile-worker 0.17: takes what its queue does while nobody waits for it. */
interface Background {
  background(work: Promise<unknown>): void;
}

/**
 * Keeps a runner's end from being that of the process. A queue that gives up hands its jobs back, and refuses to wait for that
 * where nothing else is under way: when the database is away, the failure is nobody's. The jobs lose nothing: the next runner
 * frees what the last one held.
 */
export function surviveQueues(events: WorkerEvents, onFailure: (error: unknown) => void): void {
  events.on('localQueue:init', ({ localQueue }) => {
    const queue = localQueue as unknown as Background;
    const attend = queue.background.bind(queue);
    queue.background = (work) => {
      work.catch(onFailure);
      attend(work);
    };
  });
}
