package lockfile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// writerVariable makes this binary a process that adds entries to a file; the value
// is "path=prefix".
const writerVariable = "LOCKFILE_TEST_WRITER"

const entriesEach = 10

func TestMain(m *testing.M) {
	if path, prefix, ok := strings.Cut(os.Getenv(writerVariable), "="); ok {
		if err := write(context.Background(), path, prefix); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Processes of the race detector's take a second to end otherwise.
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	os.Exit(m.Run())
}

// write adds entries one by one.
func write(ctx context.Context, path, prefix string) error {
	for i := range entriesEach {
		err := lockfile.Update(ctx, path, func(f *lockfile.File) error {
			f.Set(entry(fmt.Sprint(prefix, i), "1.0.0", "linux_amd64"))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func version(text string) semver.Version {
	v, _ := semver.Parse(text)
	return v
}

func entry(name, v, platform string) lockfile.Entry {
	return lockfile.Entry{
		Key: lockfile.Key{Name: name, Version: version(v), Platform: platform},
		Sum: sums.Of([]byte(name + v + platform)), Source: "https://example.com/" + name,
	}
}

func TestEntriesAreFoundByTheirKeys(t *testing.T) {
	var f lockfile.File
	want := []lockfile.Entry{
		entry("a", "", ""), entry("b", "1.10.0", "darwin_arm64"), entry("b", "1.10.0", "linux_amd64"),
		entry("b", "1.9.0", "linux_amd64"), entry("b", "", ""), entry("c", "1.0.0", ""),
	}
	for _, i := range []int{3, 0, 5, 2, 4, 1} {
		f.Set(want[i])
	}
	if got := f.Entries(); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	for _, e := range want {
		if got, ok := f.Lookup(e.Key); !ok || got != e {
			t.Errorf("%v: %v, %t", e.Key, got, ok)
		}
		if got, ok := f.LookupSum("", e.Name, e.Sum); !ok || got != e {
			t.Errorf("%v by sum: %v, %t", e.Key, got, ok)
		}
	}
	if _, ok := f.LookupSum("", "a", want[1].Sum); ok {
		t.Error("a sum of another plugin counts")
	}
	if _, ok := f.Lookup(lockfile.Key{Kind: "k", Name: "a"}); ok {
		t.Error("the kind does not count")
	}
	if got := f.Named("", "b"); !slices.Equal(got, want[1:5]) {
		t.Errorf("got %v", got)
	}
	clone := f.Clone()
	if !f.Remove(want[2].Key) || f.Remove(want[2].Key) || len(f.Entries()) != 5 || len(clone.Entries()) != 6 {
		t.Error("not removed once")
	}
	other := want[0]
	other.Source = "elsewhere"
	f.Set(other)
	if got, _ := f.Lookup(other.Key); got != other || len(f.Entries()) != 5 {
		t.Errorf("not replaced: %v", got)
	}
}

func TestFileIsReadAsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock.json")
	if _, err := lockfile.Read(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	e := entry("loud", "1.4.0-beta+x", "linux_amd64")
	e.Kind = "filter"
	if err := lockfile.Update(t.Context(), path, func(f *lockfile.File) error { f.Set(e); return nil }); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"version": 1`, `"kind": "filter"`, `"version": "1.4.0-beta+x"`, `"sha256": "` + e.Sum.String() + `"`} {
		if !strings.Contains(string(data), part) {
			t.Errorf("%s is not in\n%s", part, data)
		}
	}
	f, err := lockfile.Read(path)
	if err != nil || !slices.Equal(f.Entries(), []lockfile.Entry{e}) {
		t.Errorf("%v, %v", f.Entries(), err)
	}
	if got := e.Key.String(); got != "filter/loud 1.4.0-beta+x linux_amd64" {
		t.Errorf("the key reads %q", got)
	}
}

func TestParseReportsABrokenEntryWithItsLineAndKeepsTheOthers(t *testing.T) {
	sum := sums.Of([]byte("x")).String()
	text := `{
  "version": 1, "remark": {"a": [1, 2]},
  "plugins": [
    {"name": "good", "version": "1.0.0", "sha256": "` + sum + `", "future": true},
    {"name": "version", "version": "new", "sha256": "` + sum + `"},

    {
      "name": "sum", "sha256": "12"
    },
    {"version": "1.0.0", "sha256": "` + sum + `"},
    {"name": "nosum"},
    {"name": "good", "version": "1.0.0", "sha256": "` + sum + `"},
    7,
    {"name": "last", "sha256": "` + sum + `"}
  ]
}`
	f, err := lockfile.Parse("greet.lock.json", []byte(text))
	var names []string
	for _, e := range f.Entries() {
		names = append(names, e.Name)
	}
	if !slices.Equal(names, []string{"good", "last"}) {
		t.Errorf("got %q", names)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %v", err)
	}
	want := []int{5, 7, 10, 11, 12, 13}
	var lines []int
	for _, err := range joined.Unwrap() {
		var wrong *lockfile.ParseError
		if !errors.As(err, &wrong) || wrong.File != "greet.lock.json" {
			t.Errorf("got %v", err)
			continue
		}
		lines = append(lines, wrong.Line)
	}
	if !slices.Equal(lines, want) {
		t.Errorf("lines %v, want %v:\n%v", lines, want, err)
	}
	var v *semver.VersionError
	if !errors.As(err, &v) {
		t.Error("the reason is not to be reached")
	}
}

func TestParseRefusesOtherFilesWithTheLine(t *testing.T) {
	tests := map[string]struct {
		text string
		line int
	}{
		"text":          {"\n\nhello", 3},
		"an array":      {"[]", 1},
		"cut off":       {"{\n\"version\": 1,\n\"plugins\": [", 3},
		"cut off entry": {"{\n\"version\": 1,\n\"plugins\": [\n{\"name\":", 4},
		"more":          {"{\"version\": 1}\n{}", 2},
		"no version":    {"{}", 1},
		"version":       {"{\"version\": \"one\"}", 1},
		"plugins":       {"{\"version\": 1, \"plugins\": {}}", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := lockfile.Parse("f", []byte(test.text))
			var wrong *lockfile.ParseError
			if f == nil || !errors.As(err, &wrong) || wrong.Line != test.line {
				t.Errorf("got %v", err)
			}
		})
	}
	var later *lockfile.FormatError
	if _, err := lockfile.Parse("f", []byte(`{"version": 2}`)); !errors.As(err, &later) || later.Version != 2 {
		t.Errorf("got %v", err)
	}
	for _, empty := range []string{"", " \n"} {
		if f, err := lockfile.Parse("f", []byte(empty)); err != nil || len(f.Entries()) != 0 {
			t.Errorf("%q: %v", empty, err)
		}
	}
	if _, err := lockfile.Parse("f", make([]byte, 17<<20)); err == nil {
		t.Error("17 MiB are a lock file")
	}
}

func TestUpdateLeavesTheFileAsItWasOnAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock.json")
	broken := errors.New("changed my mind")
	if err := lockfile.Update(t.Context(), path, func(*lockfile.File) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err := lockfile.Update(t.Context(), path, func(f *lockfile.File) error { f.Set(lockfile.Entry{}); return nil }); err == nil {
		t.Error("an entry without a name is written")
	}
	for _, text := range []string{"garbage", `{"version": 2}`, `{"version": 1, "plugins": [{"name": "x"}]}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := lockfile.Update(t.Context(), path, func(f *lockfile.File) error { f.Set(entry("a", "1.0.0", "")); return nil })
		var wrong *lockfile.ParseError
		if !errors.As(err, &wrong) {
			t.Errorf("%s: %v", text, err)
		}
		if data, _ := os.ReadFile(path); string(data) != text {
			t.Errorf("%s became %s", text, data)
		}
	}
}

// A terminal obeys control characters in a name.
func TestParseRefusesANameWithControlCharacters(t *testing.T) {
	sum := sums.Of([]byte("x")).String()
	for _, key := range []string{"kind", "name", "platform"} {
		text := `{"version": 1, "plugins": [{"name": "a", "` + key + `": "x\u001b[2J", "sha256": "` + sum + `"}]}`
		f, err := lockfile.Parse("f", []byte(text))
		var wrong *lockfile.ParseError
		if len(f.Entries()) != 0 || !errors.As(err, &wrong) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %v, %v", key, f.Entries(), err)
		}
	}
	e := entry("a", "1.0.0", "")
	e.Source = "/a directory\n/" + strings.Repeat("x", 4000) // a path may be anything
	path := filepath.Join(t.TempDir(), "lock.json")
	if err := lockfile.Update(t.Context(), path, func(f *lockfile.File) error { f.Set(e); return nil }); err != nil {
		t.Error(err)
	}
	if f, err := lockfile.Read(path); err != nil || !slices.Equal(f.Entries(), []lockfile.Entry{e}) {
		t.Errorf("%v, %v", f.Entries(), err)
	}
}

func TestFormatErrorIsNotForAFileWithoutAVersion(t *testing.T) {
	_, err := lockfile.Parse("f", []byte(`{"plugins": []}`))
	var later *lockfile.FormatError
	if err == nil || errors.As(err, &later) || !strings.Contains(err.Error(), `"version"`) {
		t.Errorf("got %v", err)
	}
}

// The target may lie somewhere else, and others rely on the link, or it may be
// private.
func TestUpdateKeepsTheModeAndTheLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "files", "lock.json"), filepath.Join(dir, "lock.json")
	if err := os.Mkdir(filepath.Dir(target), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("files", "lock.json"), link); err != nil {
		t.Skip(err)
	}
	for i, path := range []string{link, target} {
		if err := write(t.Context(), path, fmt.Sprint("p", i, "-")); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(target, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := write(t.Context(), link, "last"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	if info, err = os.Stat(target); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	if f, err := lockfile.Read(link); err != nil || len(f.Entries()) != 3*entriesEach {
		t.Errorf("%d entries, %v", len(f.Entries()), err)
	}
}

// Whenever a writer is killed the file is whole, and nobody waits for it.
func TestUpdateThatIsKilledLeavesAWholeFile(t *testing.T) {
	const writers = 20
	path := filepath.Join(t.TempDir(), "lock.json")
	for i := range writers {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s=p%d-", writerVariable, path, i))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// It is killed after its first write, in the middle of the next.
		for {
			f, err := lockfile.Read(path)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if len(f.Named("", fmt.Sprintf("p%d-%d", i, i%entriesEach))) > 0 {
				break
			}
			if t.Context().Err() != nil {
				t.Fatal("it does not write")
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	if err := write(t.Context(), path, "last"); err != nil {
		t.Error(err)
	}
	if f, err := lockfile.Read(path); err != nil || len(f.Named("", "last0")) != 1 {
		t.Errorf("%d entries, %v", len(f.Entries()), err)
	}
}

func TestUpdateByConcurrentWritersLosesNothing(t *testing.T) {
	const processes, goroutines = 20, 4
	path := filepath.Join(t.TempDir(), "lock.json")
	var group sync.WaitGroup
	for i := range processes {
		group.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s=p%d-", writerVariable, path, i))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	for i := range goroutines {
		group.Go(func() {
			if err := write(t.Context(), path, fmt.Sprintf("g%d-", i)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	f, err := lockfile.Read(path)
	if want := (processes + goroutines) * entriesEach; err != nil || len(f.Entries()) != want {
		t.Errorf("%d entries, want %d: %v", len(f.Entries()), want, err)
	}
}

// Whatever is read can be written, and reads as the same again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"version": 1, "plugins": [{"name": "a", "version": "1.0.0", "sha256": "` + sums.Of(nil).String() + `"}]}`))
	f.Add([]byte(`{"plugins": [{}], "version": 1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, _ := lockfile.Parse("f", data)
		out, err := file.Format()
		if err != nil {
			t.Fatal(err)
		}
		again, err := lockfile.Parse("f", out)
		if err != nil || !slices.Equal(again.Entries(), file.Entries()) {
			t.Errorf("%v became %v: %v", file.Entries(), again.Entries(), err)
		}
	})
}

func TestParseErrorIsShortAndPrintable(t *testing.T) {
	long := strings.Repeat("\u202e\u009b9", 1<<18)
	digits := strings.Repeat("9", 1<<20)
	sum := sums.Of(nil).String()
	for name, data := range map[string]string{
		"version":  `{"version": 1, "plugins": [{"name": "a", "version": "` + long + `", "sha256": "` + sum + `"}]}`,
		"number":   `{"version": ` + digits + `, "plugins": []}`,
		"name":     `{"version": 1, "plugins": [{"name": "` + long[:900] + `", "sha256": "` + sum + `"}]}`,
		"sum":      `{"version": 1, "plugins": [{"name": "a", "sha256": "` + long[:64] + `"}]}`,
		"kind":     `{"version": 1, "plugins": [{"name": "a", "sha256": ` + digits + `}]}`,
		"twice":    `{"version": 1, "plugins": [` + strings.Repeat(`{"name": "`+digits[:1000]+`", "sha256": "`+sum+`"},`, 30) + `{}]}`,
		"no sum":   `{"version": 1, "plugins": [{"name": "a", "sha256": "` + long + `"}]}`,
		"wrong":    long,
		"too long": strings.Repeat(" ", 17<<20),
	} {
		_, err := lockfile.Parse("lock\x1b[2J", []byte(data))
		if err == nil {
			t.Errorf("%s: it parses", name)
			continue
		}
		text := strings.ReplaceAll(err.Error(), "\n", "")
		if len(text) > 20*800 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%s: %d bytes: %.200q", name, len(text), text)
		}
	}
	err := lockfile.Update(t.Context(), filepath.Join(t.TempDir(), "lock"), func(f *lockfile.File) error {
		f.Set(lockfile.Entry{Key: lockfile.Key{Name: long}})
		return nil
	})
	if err == nil || len(err.Error()) > 800 || strings.ContainsRune(err.Error(), '\u202e') {
		t.Errorf("got %d bytes", len(fmt.Sprint(err)))
	}
}
