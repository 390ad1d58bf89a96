/** Tells the parent where the server listens, and, each time it asks, the CPU time that this process has used. */
export function reportCpu(url: string): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuUs: user + system, rssBytes: process.memoryUsage.rss() });
  });
  process.send?.({ url });
}
