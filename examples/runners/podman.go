package runners

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackfield-go/jackfield/core/runner"
)

// Podman returns a runner of containers by podman, which needs no daemon and, for a user
// other than root, no rights: with a root of one file, the program, without network, and
// without capabilities. The flags go to podman run, such as --memory=256m; global ones
// before its name take a containers.conf.
//
// For an image in place of the bare program, put its name and the path in it at the end of
// the command instead of --rootfs.
func Podman(flags ...string) func(runner.Command) (runner.Runner, error) {
	return func(cmd runner.Command) (runner.Runner, error) {
		path, err := program(cmd)
		if err != nil {
			return nil, err
		}
		root, err := os.MkdirTemp("", "jackfield-root-")
		if err != nil {
			return nil, fmt.Errorf("make the container's root: %w", err)
		}
		id := newID()
		args := []string{
			"run", "--name", id, "--rm", "--network=none", "--read-only", "--cap-drop=all",
			"--security-opt=no-new-privileges", "--workdir=/",
			"--volume", path + ":/plugin:ro",
			"--volume", cmd.SocketDir + ":" + cmd.SocketDir,
		}
		for _, entry := range cmd.Env { // by name: a command line is for everybody to read
			if key, _, ok := strings.Cut(entry, "="); ok {
				args = append(args, "--env", key)
			}
		}
		args = append(append(args, flags...), "--rootfs", root, "/plugin")
		c := &contained{name: filepath.Base(path), socketDir: cmd.SocketDir, remove: func(ctx context.Context) error {
			return errors.Join(control(ctx, "podman", "rm", "--force", "--ignore", "--time=0", id), os.RemoveAll(root))
		}}
		cmd.Env = append(cmd.Env, forPodman()...)
		cmd.Path, cmd.Args, cmd.Dir = "podman", append(args, cmd.Args...), ""
		c.Process = runner.NewProcess(cmd)
		return c, nil
	}
}

// forPodman returns the variables of this process that podman itself needs.
func forPodman() (env []string) {
	for _, key := range []string{"PATH", "HOME", "XDG_RUNTIME_DIR", "CONTAINERS_CONF"} {
		if value, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+value)
		}
	}
	return env
}
