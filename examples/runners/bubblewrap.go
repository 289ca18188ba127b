package runners

import (
	"path/filepath"

	"github.com/jackfield-go/jackfield/core/runner"
)

// Bubblewrap runs the plugin in a sandbox by bwrap: in namespaces of its own, without
// network, with the system's libraries read-only. The kernel ends all processes of the
// sandbox with bwrap, and bwrap with the host.
//
// SIGTERM ends bwrap, and with it the plugin at once: its shutdown functions run only if
// the host asks it to leave, as Close does.
func Bubblewrap(cmd runner.Command) (runner.Runner, error) {
	path, err := program(cmd)
	if err != nil {
		return nil, err
	}
	args := []string{"--unshare-all", "--die-with-parent", "--new-session"}
	for _, system := range []string{"/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"} {
		args = append(args, "--ro-bind-try", system, system)
	}
	args = append(args,
		"--proc", "/proc", "--dev", "/dev",
		"--tmpfs", "/tmp", // before what may be in it
		"--ro-bind", path, path,
		"--bind", cmd.SocketDir, cmd.SocketDir,
		"--remount-ro", "/",
		"--chdir", "/",
		"--", path)
	sandboxed := &contained{name: filepath.Base(path), socketDir: cmd.SocketDir}
	cmd.Path, cmd.Args, cmd.Dir = "bwrap", append(args, cmd.Args...), ""
	sandboxed.Process = runner.NewProcess(cmd)
	return sandboxed, nil
}
