package runner

// sweep is the clearing of a directory of what processes left there, while its
// starter does something else.
type sweep struct {
	hurry, done chan struct{} // closed when somebody waits for it, and when it has ended
}

func startSweep(base string) *sweep {
	s := &sweep{hurry: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		removeAbandoned(base, s.hurry)
	}()
	return s
}

// stop ends it and waits for that. It is called once.
func (s *sweep) stop() {
	close(s.hurry)
	<-s.done
}
