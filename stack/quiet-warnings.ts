// Warnings of Node that say nothing about us: type stripping, and kafkajs computing a negative timer (harmless, it means "now").
export const quietWarnings = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];
