package shared

// Empty is what methods without an argument or without a reply exchange.
type Empty struct{}

// SumArgs is the argument of Sum.
type SumArgs struct {
	A, B int64
}

// PrintArgs is the argument of Print: what the plugin writes, as it is, to the
// os.Stdout and the os.Stderr of its process.
type PrintArgs struct {
	Stdout, Stderr string
}

// CallbackArgs is the argument of Callback.
type CallbackArgs struct {
	// ID is the broker ID at which the host serves an [Asker].
	ID uint32
	// Question is what the plugin asks there.
	Question string
}

// ReadAllReply says what a plugin read from a raw brokered stream.
type ReadAllReply struct {
	// Bytes is how many came before the end of the stream.
	Bytes int64
	// SHA256 is their checksum in hexadecimal.
	SHA256 string
}
