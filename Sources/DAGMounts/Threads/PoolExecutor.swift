/// Runs the steps of tasks on the threads of a job pool.
///
/// A task that prefers this executor may block in its steps: it then holds up a thread of the pool, and no thread of
/// Swift's cooperative pool.
///
/// *Concurrency*: any thread.
package final class PoolExecutor: TaskExecutor {
    private let pool: JobPool

    /// Creates an executor over a pool, which it keeps alive.
    package init(_ pool: JobPool) { self.pool = pool }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // SAFETY: the closure keeps the executor alive until the step has ended.
        pool.submit { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
