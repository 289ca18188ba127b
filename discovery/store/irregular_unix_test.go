//go:build unix

package store_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// irregular makes other things than files at a path.
var irregular = map[string]func(path string) error{
	"a pipe":      func(path string) error { return syscall.Mkfifo(path, 0o700) },
	"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
	"a device":    func(path string) error { return os.Symlink("/dev/zero", path) },
	"a socket": func(path string) error {
		listener, err := net.Listen("unix", path)
		if err == nil {
			listener.(*net.UnixListener).SetUnlinkOnClose(false)
			err = listener.Close()
		}
		return err
	},
}

// readers read the file at a path, each in its own way. found has that file, as it
// was when it was regular.
func readers(found *discovery.Found, dir string) map[string]func(ctx context.Context, path string) error {
	shelf := store.Store{Dir: filepath.Join(dir, "store"), Naming: discovery.Naming{App: "greet"}}
	return map[string]func(ctx context.Context, path string) error{
		"lockfile.Read": func(_ context.Context, path string) error { _, err := lockfile.Read(path); return err },
		"lockfile.Update": func(ctx context.Context, path string) error {
			return lockfile.Update(ctx, path, func(*lockfile.File) error { return context.Canceled })
		},
		"sums.Read":   func(_ context.Context, path string) error { _, err := sums.Read(path); return err },
		"sums.OfFile": func(_ context.Context, path string) error { _, err := sums.OfFile(path); return err },
		"sums.Check":  func(_ context.Context, path string) error { return sums.Check(path, sums.Of(nil)) },
		"sums.Update": func(ctx context.Context, path string) error {
			return sums.Update(ctx, path, func(l sums.List) (sums.List, error) { return l, context.Canceled })
		},
		"OpenCache": func(_ context.Context, path string) error { _, err := discovery.OpenCache(path); return err },
		"Install": func(ctx context.Context, path string) error {
			_, err := shelf.Install(ctx, path, store.InstallOptions{})
			return err
		},
		"List": func(ctx context.Context, path string) error {
			own := store.Store{Dir: filepath.Dir(path), Naming: discovery.Naming{App: "greet"}}
			return own.Verify(ctx)
		},
		"the store's lock file": func(ctx context.Context, path string) error {
			own := store.Store{Dir: shelf.Dir, Naming: discovery.Naming{App: "greet"}, Lock: path}
			_, err := own.List(ctx)
			return err
		},
		"Describe": func(ctx context.Context, path string) error {
			_, err := discovery.Describer{}.Describe(ctx, path)
			return err
		},
		"Resolve": func(ctx context.Context, _ string) error {
			_, err := (&discovery.Resolver{Lock: new(lockfile.File)}).Resolve(ctx, found, discovery.Request{Name: "loud"})
			return err
		},
		"Resolve and describe": func(ctx context.Context, _ string) error {
			lock := new(lockfile.File)
			lock.Set(lockfile.Entry{Key: lockfile.Key{Name: "loud"}, Sum: sums.Of([]byte("regular"))})
			got, err := (&discovery.Resolver{Lock: lock, Describer: &discovery.Describer{}}).Resolve(ctx, found, discovery.Request{Name: "loud"})
			if err == nil {
				err = got.NoDescription
			}
			return err
		},
		"Find": func(ctx context.Context, path string) error {
			search := discovery.Search{Naming: discovery.Naming{App: "greet"}, Dirs: []discovery.Dir{{Path: path}}}
			found, err := search.Find(ctx)
			if err == nil && len(found.Problems) > 0 {
				err = found.Problems[0]
			}
			return err
		},
	}
}

// within fails the test if a reader does not come back.
func within(t *testing.T, name string, read func(context.Context) error) error {
	t.Helper()
	ctx := testkit.Within(t)
	done := make(chan error, 1)
	go func() { done <- read(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		t.Fatalf("%s hangs", name)
		return nil
	}
}

func TestReadersDoNotWaitForIrregularFiles(t *testing.T) {
	for kind, put := range irregular {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			path := testkit.Put(t, filepath.Join(dir, "plugins"), "greet-plugin-loud", "regular")
			found := testkit.Find(t, filepath.Dir(path))
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := put(path); err != nil {
				t.Skip("needs: ", kind, ": ", err)
			}
			for name, read := range readers(found, dir) {
				if name == "Find" && kind == "a directory" {
					continue
				}
				if err := within(t, name, func(ctx context.Context) error { return read(ctx, path) }); err == nil {
					t.Errorf("%s takes it", name)
				}
			}
		})
	}
}

// A file is looked at, and becomes a pipe before it is opened.
func TestReadersDoNotWaitForAFileThatBecomesAPipe(t *testing.T) {
	dir := t.TempDir()
	path := testkit.Put(t, filepath.Join(dir, "plugins"), "greet-plugin-loud", "regular")
	found := testkit.Find(t, filepath.Dir(path))
	ctx, stop := context.WithCancel(t.Context())
	swapped := make(chan struct{})
	go func() {
		defer close(swapped)
		next := filepath.Join(dir, "next")
		for i := 0; ctx.Err() == nil; i++ {
			var err error
			switch i % 3 {
			case 0:
				err = syscall.Mkfifo(next, 0o700)
			case 1:
				err = os.WriteFile(next, []byte("regular"), 0o700)
			case 2:
				err = os.Mkdir(next, 0o700)
				_ = os.Remove(path)
			}
			if err == nil {
				_ = os.Rename(next, path)
			}
			_ = os.Remove(next)
			if i%3 == 2 {
				_ = os.Remove(path)
			}
		}
	}()
	for name, read := range readers(found, dir) {
		for range 40 {
			_ = within(t, name, func(ctx context.Context) error { return read(ctx, path) })
		}
	}
	stop()
	<-swapped
}
