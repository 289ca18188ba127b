package runner_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/jackfield-go/jackfield/core/runner"
)

func TestOpenSaysWhyThereIsNothingToRun(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		path  string
		is    error
		parts []string
	}{
		"missing":     {filepath.Join(dir, "missing"), fs.ErrNotExist, []string{"does not exist", "missing"}},
		"a directory": {dir, nil, []string{"is a directory"}},
		"unknown":     {"no-such-program-anywhere", fs.ErrNotExist, []string{"PATH"}},
		"empty":       {"", nil, []string{"is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runner.Command{Path: test.path}.Open()
			var failure *runner.StartError
			if !errors.As(err, &failure) || test.is != nil && !errors.Is(err, test.is) {
				t.Fatalf("got %v", err)
			}
			expect(t, failure.Error(), test.parts...)
		})
	}
}
