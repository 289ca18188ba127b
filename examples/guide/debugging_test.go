package guide_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/runner"
)

// underDelve runs the plugin under Delve, which waits there for a debugger.
func underDelve(cmd runner.Command) (runner.Runner, error) {
	cmd.Args = append([]string{"exec", "--headless", "--listen=127.0.0.1:2345", cmd.Path, "--"}, cmd.Args...)
	cmd.Path = "dlv"
	return runner.NewProcess(cmd), nil
}

// A script takes the place of Delve: it prints as Delve does, and runs the program after its own three arguments.
func TestUnderDelve(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("needs: sh on the PATH")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\necho API server listening at: 127.0.0.1:2345\nshift 3\nprogram=$1\nshift 2\nexec \"$program\" \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "dlv"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))

	client := launch(t, host.Config{Runner: underDelve})
	if err := client.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}
