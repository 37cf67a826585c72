// A process that prints its pid and then waits, for tests of supervision.
console.log(`pid ${process.pid}`);
setInterval(() => undefined, 60_000);
