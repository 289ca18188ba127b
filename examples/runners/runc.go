package runners

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/jackfield-go/jackfield/core/runner"
)

// Runc runs the plugin in a container by runc, an OCI runtime: with a root of one file,
// the program, without network, and without capabilities. Each run has a bundle of its
// own, a directory for temporary files, removed at the end. Other OCI runtimes, such as
// crun, take the same arguments.
func Runc(cmd runner.Command) (runner.Runner, error) {
	path, err := program(cmd)
	if err != nil {
		return nil, err
	}
	bundle, err := os.MkdirTemp("", "jackfield-bundle-")
	if err != nil {
		return nil, fmt.Errorf("make the container's bundle: %w", err)
	}
	if err := writeBundle(bundle, path, cmd); err != nil {
		return nil, errors.Join(fmt.Errorf("make the container's bundle: %w", err), os.RemoveAll(bundle))
	}
	id := newID()
	c := &contained{name: filepath.Base(path), socketDir: cmd.SocketDir, remove: func(ctx context.Context) error {
		// runc run removes a container that has ended: there is often none.
		return errors.Join(control(ctx, "runc", "delete", "--force", id), os.RemoveAll(bundle))
	}}
	cmd.Path, cmd.Args, cmd.Dir, cmd.Env = "runc", []string{"run", "--bundle", bundle, id}, "", os.Environ()
	c.Process = runner.NewProcess(cmd)
	return c, nil
}

func writeBundle(bundle, path string, cmd runner.Command) error {
	const root = "rootfs"
	if err := os.Mkdir(filepath.Join(bundle, root), 0o755); err != nil {
		return err
	}
	config, err := json.Marshal(containerSpec(root, path, cmd))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(bundle, "config.json"), config, 0o600)
}

// containerSpec describes the container; see the OCI runtime specification, config.md.
func containerSpec(root, path string, cmd runner.Command) *specs.Spec {
	const inside = "/plugin"
	uid, gid := os.Getuid(), os.Getgid()
	spec := &specs.Spec{
		Version: "1.0.2",
		Root:    &specs.Root{Path: root, Readonly: true},
		Process: &specs.Process{
			Args: append([]string{inside}, cmd.Args...),
			Env:  cmd.Env,
			Cwd:  "/",
			// The user of the host: the sockets are for it alone.
			User:            specs.User{UID: uint32(uid), GID: uint32(gid)},
			Capabilities:    &specs.LinuxCapabilities{},
			NoNewPrivileges: true,
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755", "size=64k"}},
			{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "size=64m"}},
			{Destination: inside, Type: "bind", Source: path, Options: []string{"bind", "ro"}},
			{Destination: cmd.SocketDir, Type: "bind", Source: cmd.SocketDir, Options: []string{"bind", "rw"}},
		},
		Linux: &specs.Linux{
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace},
				{Type: specs.MountNamespace},
				{Type: specs.NetworkNamespace},
				{Type: specs.IPCNamespace},
				{Type: specs.UTSNamespace},
			},
			MaskedPaths:   []string{"/proc/kcore", "/proc/keys", "/proc/sched_debug", "/proc/timer_list"},
			ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}
	if uid != 0 { // without root a container takes a user namespace
		spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		spec.Linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: uint32(uid), HostID: uint32(uid), Size: 1}}
		spec.Linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: uint32(gid), HostID: uint32(gid), Size: 1}}
	}
	return spec
}
