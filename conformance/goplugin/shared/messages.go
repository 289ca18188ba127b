package shared

// Empty stands for a missing argument or reply.
type Empty struct{}

// SumArgs is the argument of Sum.
type SumArgs struct {
	A, B int64
}

// PrintArgs is the argument of Print: texts for the os.Stdout and the os.Stderr of the
// plugin's process.
type PrintArgs struct {
	Stdout, Stderr string
}

// CallbackArgs is the argument of Callback.
type CallbackArgs struct {
	// ID is the broker ID at which the host serves an [Asker].
	ID uint32
	// Question is the plugin's question there.
	Question string
}

// ReadAllReply describes a raw brokered stream as read by a plugin.
type ReadAllReply struct {
	// Bytes is the number of bytes before the end of the stream.
	Bytes int64
	// SHA256 is their checksum in hexadecimal.
	SHA256 string
}
