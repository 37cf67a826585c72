// How Node is started for every process of the product and the servers written in it; `deploy/Dockerfile` says the same.
export const nodeArguments = [
  // Type stripping says nothing about us, nor does kafkajs computing a negative timer (harmless, it means "now").
  '--disable-warning=ExperimentalWarning',
  '--disable-warning=TimeoutNegativeWarning',
  // Bytes from and for servers end many collections of a small heap. Helper threads cost more than they spare the main one.
  '--single-threaded-gc',
];
