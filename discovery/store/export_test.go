package store

// CleanEntry is cleanEntry.
func CleanEntry(name string) (clean, reason string) { return cleanEntry(name) }
