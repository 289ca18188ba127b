// Package peers manages the processes of this module's tests: it builds programs, runs
// go-plugin's host on a plugin, and checks for leftovers.
package peers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// Program is a peer that tests run.
type Program struct {
	// Path receives the path of the built program; [Main] sets it.
	Path *string
	// Source is the program's folder.
	Source string
	// Ours selects the race detector for this program if the tests use it.
	Ours bool
}

// Main builds the programs, runs the tests and returns their status: for a
// TestMain.
func Main(m *testing.M, programs ...Program) int {
	dir, err := os.MkdirTemp("", "jackfield-peers")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for i, program := range programs {
		*program.Path = filepath.Join(dir, fmt.Sprint(i, filepath.Base(program.Source)))
		if err := program.build(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

func (p Program) build() error {
	if runtime.GOOS == "windows" {
		*p.Path += ".exe"
	}
	var flags []string
	if p.Ours && Race {
		flags = append(flags, "-race")
	}
	arguments := slices.Concat([]string{"build", "-o", *p.Path}, flags, []string{p.Source})
	output, err := exec.CommandContext(context.Background(), "go", arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("build %s: %w\n%s", p.Source, err, output)
	}
	return nil
}
