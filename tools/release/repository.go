package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// repository is the root folder of a git work tree.
type repository string

func (r repository) path(elements ...string) string {
	return filepath.Join(append([]string{string(r)}, elements...)...)
}

// forgetRepository removes the environment variables of a git hook or alias that name its
// repository. With them, commands in the clone would change that repository.
func forgetRepository(ctx context.Context) error {
	names, err := command(ctx, "", os.Environ(), "git", "rev-parse", "--local-env-vars")
	for name := range strings.FieldsSeq(names) {
		if !strings.HasPrefix(name, "GIT_CONFIG") {
			err = errors.Join(err, os.Unsetenv(name))
		}
	}
	return err
}

// git runs git in the repository and returns its output, without the final newline.
func (r repository) git(ctx context.Context, args ...string) (string, error) {
	output, err := command(ctx, string(r), os.Environ(), "git", args...)
	return strings.TrimRight(output, "\n"), err
}

// lines runs git and returns the lines of its output.
func (r repository) lines(ctx context.Context, args ...string) ([]string, error) {
	output, err := r.git(ctx, args...)
	if output == "" {
		return nil, err
	}
	return strings.Split(output, "\n"), err
}

// cloneSettings override the user's settings, because those may sign, refuse, ignore or
// convert. A release holds the files of its commit unchanged.
func cloneSettings() []string {
	return []string{
		"user.name=release", "user.email=release@localhost",
		"commit.gpgSign=false", "tag.gpgSign=false", "core.autocrlf=false",
		"core.hooksPath=" + os.DevNull, "core.attributesFile=" + os.DevNull, "core.excludesFile=" + os.DevNull,
	}
}

// extract clones a commit's tree into a new folder.
func (r repository) extract(ctx context.Context, commit, folder string) error {
	args := []string{"clone", "-q", "--no-checkout"}
	for _, setting := range cloneSettings() {
		args = append(args, "-c", setting)
	}
	if _, err := command(ctx, "", os.Environ(), "git", append(args, string(r), folder)...); err != nil {
		return err
	}
	_, err := repository(folder).git(ctx, "checkout", "-q", "--detach", commit)
	return err
}

// command runs a program and returns its standard output. If the program fails, the error
// ends with its whole output. When the context ends, the program may end its children
// before it is killed.
func command(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(stderr.String() + stdout.String())
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), errors.Join(err, ctx.Err()), text)
	}
	return stdout.String(), nil
}
