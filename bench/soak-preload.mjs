// In the process that is soaked: collects garbage when it is asked to, and says what is left.
process.on('message', () => {
  if (globalThis.gc === undefined) throw new Error('--expose-gc is missing');
  // the second finds what finalizers of the first let go
  globalThis.gc();
  globalThis.gc();
  process.send?.({ heapMb: process.memoryUsage().heapUsed / 1024 / 1024 });
});
// whoever listens would keep a process alive that was asked to stop
process.channel?.unref();
