//go:build unix

package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/store"
)

// A group with write access to a store's directory can put another directory in the
// place of an installation's staging directory.
func TestInstallRunsNoProgramOfAnExchangedStagingDirectory(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "marker")
	evil := []byte("#!/bin/sh\n: >" + marker + "\n")
	const good = "#!/bin/sh\necho '{\"describe\": 1, \"protocols\": []}'\n"
	for name, install := range map[string]store.InstallOptions{"described": {}, "undescribed": {Undescribed: true}} {
		s := newStore(t)
		install.Progress = func(p store.Progress) {
			if p.Stage == "describe" {
				exchange(t, s.Dir, evil)
			}
		}
		_, err := s.Install(t.Context(), testkit.Put(t, t.TempDir(), "greet-plugin-loud_v1.0.0", good), install)
		if !errors.Is(err, discovery.ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(marker); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a program that was not checked has run", name)
		}
	}
}

func TestInstallUnpacksNoArchiveOfAnExchangedStagingDirectory(t *testing.T) {
	s := newStore(t)
	exchanged := false
	install := store.InstallOptions{
		Undescribed: true,
		Progress: func(p store.Progress) {
			if p.Stage == "copy" && p.Done == p.Total && !exchanged {
				exchanged = true
				exchange(t, s.Dir, []byte("another archive"))
			}
		},
	}
	path := testkit.Put(t, t.TempDir(), "greet-plugin-loud_v1.0.0.tar.gz", "an archive")
	if _, err := s.Install(t.Context(), path, install); !errors.Is(err, discovery.ErrChanged) {
		t.Errorf("got %v", err)
	}
}

// exchange puts another directory in the place of the staging directory, with files
// of the same names and another content.
func exchange(t *testing.T, dir string, content []byte) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		entries, err := os.ReadDir(path)
		if err != nil {
			continue // a file
		}
		err = errors.Join(os.Rename(path, filepath.Join(filepath.Dir(dir), "theirs")), os.Mkdir(path, 0o755))
		for _, entry := range entries {
			err = errors.Join(err, os.WriteFile(filepath.Join(path, entry.Name()), content, 0o755))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
