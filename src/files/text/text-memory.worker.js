import { workerData } from 'node:worker_threads';

const WATCH_EVERY_MS = 50;

/** Ends the process when it is larger than it may be, or nobody is left to hear its answer. A thread of its own, for the libraries compute without a pause. */
setInterval(() => {
  const isAlone = process.ppid !== workerData.parent;
  if (isAlone || process.memoryUsage.rss() > workerData.mostBytes) process.kill(process.pid, 'SIGKILL');
}, WATCH_EVERY_MS);
