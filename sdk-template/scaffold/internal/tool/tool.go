// Package tool runs the go command and git.
package tool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Command is a program with its folder and environment. The zero value runs nothing.
type Command struct {
	name string
	args []string // precede the arguments of a call
	dir  string
	env  []string
}

// Go returns the go command in a folder. It builds for this machine, without the influence
// of a workspace above or of flags for another module.
func Go(dir string) Command {
	flags := slices.DeleteFunc(strings.Fields(os.Getenv("GOFLAGS")), func(flag string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		return name == "mod" || name == "modfile"
	})
	return Command{name: "go", dir: dir, env: append(environ(), "GOWORK=off", "GOFLAGS="+strings.Join(flags, " "))}
}

// Git returns git in a folder, with English messages and without the user's hooks: they are
// not meant for the scaffolder's commands.
func Git(dir string) Command {
	return Command{
		name: "git",
		args: []string{"-c", "core.hooksPath=" + os.DevNull},
		dir:  dir,
		env:  append(environ(), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0"),
	}
}

// Program returns a built program without arguments.
func Program(file string) Command { return Command{name: file, env: environ()} }

// With returns the command with additional environment variables.
func (c Command) With(env ...string) Command {
	c.env = append(slices.Clip(c.env), env...)
	return c
}

// Run returns the output of the command. An error contains the command and its error
// output.
func (c Command) Run(ctx context.Context, args ...string) (string, error) {
	return c.RunWith(ctx, nil, args...)
}

// RunWith is Run with an input.
func (c Command) RunWith(ctx context.Context, input []byte, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.name, append(slices.Clip(c.args), args...)...)
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second // grandchildren may keep the pipes open
	err := cmd.Run()
	if err == nil {
		return stdout.String(), nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	message := strings.TrimSpace(stderr.String())
	if errors.Is(err, exec.ErrNotFound) {
		message = "install " + c.name + " and add it to the PATH"
	}
	if message != "" {
		message = "\n" + message
	}
	return stdout.String(), fmt.Errorf("%s %s: %w%s", c.name, strings.Join(args, " "), err, message)
}

// environ returns the environment without the variables of a git hook or an outer git
// command, because they name another repository. It also drops go's target variables.
func environ() []string {
	var env []string
	for _, variable := range os.Environ() {
		switch name, _, _ := strings.Cut(variable, "="); name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GOOS", "GOARCH":
		default:
			env = append(env, variable)
		}
	}
	return env
}
