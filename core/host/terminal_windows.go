package host

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// terminal is the console, shared by all its processes. Only its modes are kept.
type terminal struct{ sides []consoleSide }

// consoleSide is the input or the output of the console.
type consoleSide struct {
	file *os.File
	mode uint32 // from before
}

// lendTerminal opens the console. The plugin has it anyway.
func (p *process) lendTerminal() (*terminal, error) {
	if _, err := p.processID(); err != nil {
		return nil, err
	}
	t := new(terminal)
	for _, name := range []string{"CONIN$", "CONOUT$"} {
		file, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.close()
			return nil, fmt.Errorf("%w: %w", ErrNoTerminal, err)
		}
		side := consoleSide{file: file}
		err = windows.GetConsoleMode(windows.Handle(file.Fd()), &side.mode)
		t.sides = append(t.sides, side)
		if err != nil {
			t.close()
			return nil, os.NewSyscallError("GetConsoleMode", err)
		}
	}
	return t, nil
}

// attend waits for the end of f or of the plugin, and restores the modes.
func (t *terminal) attend(p *process, done <-chan struct{}) error {
	select {
	case <-done:
	case <-p.ended:
	}
	defer t.close()
	var errs []error
	for _, side := range t.sides {
		err := windows.SetConsoleMode(windows.Handle(side.file.Fd()), side.mode)
		errs = append(errs, os.NewSyscallError("SetConsoleMode", err))
	}
	return errors.Join(errs...)
}

func (t *terminal) close() {
	for _, side := range t.sides {
		_ = side.file.Close()
	}
}
