// Ends a test run with the one line that CI reads: `N passed, N failed`.
export default class CountReporter {
  /** @param {unknown} _contexts @param {{ numPassedTests: number, numFailedTests: number, numRuntimeErrorTestSuites: number, numPendingTests: number }} results */
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests === 0 ? '' : `, ${results.numPendingTests} skipped`;
    // after every other reporter has had its say
    process.once('exit', () => process.stdout.write(`${results.numPassedTests} passed, ${failed} failed${skipped}\n`));
  }
}
