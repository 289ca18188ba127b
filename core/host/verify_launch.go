package host

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackfield-go/jackfield/core/runner"
)

// verify makes a private copy of the program, asks whether it may run, and makes
// it what the command runs.
func (l *launch) verify(ctx context.Context, command *runner.Command) error {
	if l.cfg.Verify == nil {
		return nil
	}
	file, err := command.Open()
	if err != nil {
		l.stage = StageStart // no other program could have been run either
		return err
	}
	defer file.Close()
	before := l.stage
	l.stage = StageVerify
	cache := l.cfg.Programs
	l.program, err = cache.seal(ctx, file, runner.SealConfig{
		Dirs:   l.cfg.ProgramDirs,
		InFile: l.ownRunner,
		Shared: runsAsAnother(command.SysProcAttr),
	})
	if err != nil {
		return err
	}
	if err := l.cfg.Verify.Verify(ctx, &Program{path: file.Name(), copy: l.program}); err != nil {
		cache.reject(l.program)
		if hasEnded(ctx, err) {
			return err // the verifier has not come to an answer
		}
		return fmt.Errorf("the program may not run: %w", err)
	}
	cache.approve(l.program)
	if err := l.useCopy(ctx, command); err != nil {
		return err
	}
	l.stage = before
	return nil
}

// hasEnded reports whether an error is that of a context's end.
func hasEnded(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}

// useCopy makes the copy what runs. A runner of the caller's own need not know of
// copies: it gets the path of this one.
func (l *launch) useCopy(ctx context.Context, command *runner.Command) (err error) {
	if !l.ownRunner {
		command.Sealed = l.program.sealed
		return nil
	}
	command.Path, err = l.program.sealed.Path(ctx)
	return err
}

// releaseProgram gives up the copy of what did not come to run.
func (l *launch) releaseProgram() {
	if l.program != nil {
		l.program.release()
		l.program = nil
	}
}

// validateVerify reports what makes the verification unusable.
func (c Config) validateVerify() error {
	if c.Verify == nil {
		if c.Programs != nil {
			return errors.New("there is a Config.Programs and no Config.Verify: only verified programs are kept")
		}
		if len(c.ProgramDirs) > 0 {
			return errors.New("there are Config.ProgramDirs and no Config.Verify: only verified programs are copied there")
		}
		return nil
	}
	if c.Command.Path == "" {
		return errors.New("there is a Config.Verify and no Config.Command: nothing that could be verified")
	}
	if c.Command.Sealed != nil {
		return errors.New("there is a Config.Verify, and Config.Command.Sealed is something else to run")
	}
	if v, ok := c.Verify.(interface{ validate() error }); ok {
		return v.validate()
	}
	return nil
}
