//go:build !linux && !darwin && !windows

package host

import "fmt"

type terminal struct{}

func (*process) lendTerminal() (*terminal, error) {
	return nil, fmt.Errorf("%w on this platform", ErrNoTerminal)
}

func (*terminal) attend(*process, <-chan struct{}) error { return nil }
