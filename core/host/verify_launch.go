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
	if l.cfg.Verify.Verifier == nil {
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
	cache := l.cfg.Verify.Cache
	l.program, err = cache.seal(ctx, file, runner.SealConfig{
		Dirs:   l.cfg.Verify.Dirs,
		InFile: l.ownRunner,
		Shared: runsAsAnother(command.SysProcAttr),
	})
	if err != nil {
		return err
	}
	if err := l.cfg.Verify.Verifier.Verify(ctx, &Program{path: file.Name(), copy: l.program}); err != nil {
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

// validate reports what makes the verification unusable.
func (c Verification) validate(command Cmd) error {
	if c.Verifier == nil {
		if c.Cache != nil {
			return errors.New("there is a Config.Verify.Cache and no Verifier beside it: only verified programs are kept")
		}
		if len(c.Dirs) > 0 {
			return errors.New("there are Config.Verify.Dirs and no Verifier beside them: only verified programs are copied there")
		}
		return nil
	}
	if command.Path == "" {
		return errors.New("there is a Config.Verify.Verifier and no Config.Command: nothing that could be verified")
	}
	if v, ok := c.Verifier.(interface{ validate() error }); ok {
		return v.validate()
	}
	return nil
}
