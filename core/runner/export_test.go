package runner

// AwaitSweep waits until what others left beside the file of a copy is removed.
func (s *Sealed) AwaitSweep() { <-s.file.sweep.Done() }
