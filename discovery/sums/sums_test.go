package sums_test

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/discovery/sums"
)

var (
	sumA = sums.Of([]byte("a"))
	sumB = sums.Of([]byte("b"))
)

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParseTakesSixtyFourDigits(t *testing.T) {
	for _, text := range []string{sumA.String(), strings.ToUpper(sumA.String())} {
		if s, err := sums.Parse(text); err != nil || s != sumA {
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "ca97", strings.Repeat("g", 64), sumA.String() + "0", " " + sumA.String()[1:]} {
		if s, err := sums.Parse(text); err == nil || !s.IsZero() {
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
	if hash, sum := sumA.Hash(); hash != crypto.SHA256 || !bytes.Equal(sum, sumA[:]) {
		t.Errorf("%v %x", hash, sum)
	}
}

func TestMismatchErrorSaysBothSums(t *testing.T) {
	path := file(t, "plugin", "a")
	if err := sums.Check(path, sumA); err != nil {
		t.Error(err)
	}
	err := sums.Check(path, sumB)
	var mismatch *sums.MismatchError
	if !errors.As(err, &mismatch) || *mismatch != (sums.MismatchError{Path: path, Want: sumB, Got: sumA}) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{path, sumA.String(), sumB.String()} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
	if err := sums.Check(path+"x", sumA); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestParseListReportsABrokenLineAndKeepsTheOthers(t *testing.T) {
	a, b := sumA.String(), sumB.String()
	text := strings.Join([]string{
		a + "  text",
		b + " *binary\r",
		"",
		"# a remark",
		"garbage",                            // 5
		a + " onespace",                      // 6
		a + "  ",                             // 7
		a[:63] + "  short",                   // 8
		strings.Repeat("0", 64) + "  zero",   // 9
		"\\" + b + "  new\\nline\\\\",        //
		"SHA256 (tag (1)) = " + a,            //
		"SHA256 (untagged",                   // 12
		"MD5 (x) = " + a[:32],                // 13
		a + "  nul\x00",                      // 14
		a + "  " + strings.Repeat("x", 9000), // 15
		b + "   blank first",
	}, "\n")
	list, err := sums.ParseList("dist/SHA256SUMS", []byte(text))
	want := sums.List{
		{Name: "text", Sum: sumA}, {Name: "binary", Sum: sumB}, {Name: "new\nline\\", Sum: sumB},
		{Name: "tag (1)", Sum: sumA}, {Name: " blank first", Sum: sumB},
	}
	if fmt.Sprint(list) != fmt.Sprint(want) {
		t.Errorf("got %q\nwant %q", list, want)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %v", err)
	}
	lines := []int{5, 6, 7, 8, 9, 12, 13, 14, 15}
	for i, err := range joined.Unwrap() {
		var wrong *sums.LineError
		if !errors.As(err, &wrong) || i >= len(lines) || wrong.Line != lines[i] || wrong.File != "dist/SHA256SUMS" {
			t.Errorf("%d: %v", i, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), fmt.Sprintf("dist/SHA256SUMS:%d: ", lines[i])) || len(err.Error()) > 400 {
			t.Errorf("text %v", err)
		}
	}
	if n := len(joined.Unwrap()); n != len(lines) {
		t.Errorf("%d errors, want %d:\n%v", n, len(lines), err)
	}
}

func TestParseListOfGarbageIsBounded(t *testing.T) {
	list, err := sums.ParseList("f", bytes.Repeat([]byte("x\n"), 1<<20))
	if len(list) != 0 || err == nil || len(err.Error()) > 4000 {
		t.Errorf("%d entries and an error of %d bytes", len(list), len(err.Error()))
	}
	if _, err := sums.ParseList("f", make([]byte, 9<<20)); err == nil {
		t.Error("9 MiB are a list")
	}
}

func TestLookupTakesNoNameThatHasTwoSums(t *testing.T) {
	list := sums.List{{"./a", sumA}, {"b", sumA}, {"b", sumB}, {"c", sumB}, {"c", sumB}}
	for name, want := range map[string]sums.Sum{"a": sumA, "./a": sumA, "b": {}, "c": sumB, "d": {}} {
		if got, err := list.Lookup(name); got != want || (err != nil) != want.IsZero() {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestCheckFindsAFileByItsName(t *testing.T) {
	path := file(t, "plugin", "a")
	var mismatch *sums.MismatchError
	if err := (sums.List{{"plugin", sumA}}).Check(path); err != nil {
		t.Error(err)
	}
	if err := (sums.List{{"plugin", sumB}}).Check(path); !errors.As(err, &mismatch) {
		t.Errorf("got %v", err)
	}
	if err := (sums.List{{"other", sumA}}).Check(path); !errors.Is(err, sums.ErrNotListed) {
		t.Errorf("got %v", err)
	}
}

func TestLookupSaysWhyThereIsNoSum(t *testing.T) {
	list := sums.List{{"a", sumA}, {"b", sumA}, {"./b", sumB}}
	if sum, err := list.Lookup("a"); err != nil || sum != sumA {
		t.Errorf("got %v, %v", sum, err)
	}
	if _, err := list.Lookup("c"); !errors.Is(err, sums.ErrNotListed) {
		t.Errorf("got %v", err)
	}
	if _, err := list.Lookup("b"); !errors.Is(err, sums.ErrAmbiguous) {
		t.Errorf("got %v", err)
	}
	if err := list.Check(file(t, "b", "a")); !errors.Is(err, sums.ErrAmbiguous) {
		t.Errorf("got %v", err)
	}
}

// As PowerShell writes it.
func TestListMayComeFromWindows(t *testing.T) {
	list, err := sums.ParseList("f", []byte("\ufeff"+sumA.String()+" *a\r\n\r\n"+sumB.String()+"  b\r\n"))
	if err != nil || fmt.Sprint(list) != fmt.Sprint(sums.List{{"a", sumA}, {"b", sumB}}) {
		t.Errorf("got %v, %v", list, err)
	}
}

// A file without an end is not read.
func TestOfFileRefusesIrregularFiles(t *testing.T) {
	for _, path := range []string{t.TempDir(), os.DevNull} {
		if sum, err := sums.OfFile(path); err == nil || !strings.Contains(err.Error(), "regular") {
			t.Errorf("%s: %v, %v", path, sum, err)
		}
	}
}

func TestUpdateKeepsTheMode(t *testing.T) {
	path := file(t, "SHA256SUMS", "")
	if err := sums.Update(t.Context(), path, func(l sums.List) (sums.List, error) { return l.Set("a", sumA), nil }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestListIsReadAsWritten(t *testing.T) {
	list := sums.List{}.Set("b", sumA).Set("odd \\ \n\rname", sumB).Set("a", sumA).Set("b", sumB).Set("gone", sumA).Remove("gone")
	path := filepath.Join(t.TempDir(), "SHA256SUMS")
	if err := sums.Update(t.Context(), path, func(sums.List) (sums.List, error) { return list, nil }); err != nil {
		t.Fatal(err)
	}
	got, err := sums.Read(path)
	want := sums.List{{"a", sumA}, {"b", sumB}, {"odd \\ \n\rname", sumB}}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSha256sumChecksAWrittenList(t *testing.T) {
	tool, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip(err)
	}
	path := file(t, "plugin", "a")
	dir := filepath.Dir(path)
	if err := os.WriteFile(filepath.Join(dir, "SHA256SUMS"), sums.List{{"plugin", sumA}}.Format(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "--check", "--strict", "SHA256SUMS")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	for _, args := range [][]string{{"plugin"}, {"--binary", "plugin"}, {"--tag", "plugin"}} {
		cmd := exec.CommandContext(t.Context(), tool, args...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Logf("sha256sum %q: %v", args, err) // not every tool of that name has all options
			continue
		}
		if list, err := sums.ParseList("stdout", out); err != nil || len(list) != 1 || list[0] != (sums.Entry{Name: "plugin", Sum: sumA}) {
			t.Errorf("%q: %v, %v", args, list, err)
		}
	}
}

// Whatever is read can be written, and reads as the same again.
func FuzzParseList(f *testing.F) {
	for _, seed := range []string{
		sumA.String() + "  a\n" + sumB.String() + " *b\r\n", "\\" + sumA.String() + "  a\\nb\\\\n", "SHA256 (x) = " + sumA.String(), "#\n\nx",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, _ := sums.ParseList("f", data)
		again, err := sums.ParseList("f", list.Format())
		if err != nil {
			t.Fatalf("%q: %v", list.Format(), err)
		}
		if !bytes.Equal(again.Format(), list.Format()) || len(again) != len(list) {
			t.Errorf("%q became %q", list, again)
		}
	})
}

func ExampleParseList() {
	list, err := sums.ParseList("SHA256SUMS", []byte(
		"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  greet-plugin-loud\n"+
			"3e23e8160039594a33894f6564e1b134  greet-plugin-soft\n"))
	fmt.Println(err)
	sum, err := list.Lookup("greet-plugin-loud")
	fmt.Println(sum, err)
	// Output:
	// SHA256SUMS:2: "3e23e8160039594a33894f6564e1b134  greet-plugin-soft" is no line of a list of SHA-256 sums: the sum must be 64 hexadecimal digits
	// ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb <nil>
}

func TestUpdatesAtOnceLoseNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "SHA256SUMS")
	const writers = 16
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			if err := sums.Update(t.Context(), path, func(l sums.List) (sums.List, error) {
				return l.Set(fmt.Sprint("plugin", i), sumA), nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if list, err := sums.Read(path); err != nil || len(list) != writers {
		t.Errorf("%d entries, %v", len(list), err)
	}
}

func TestUpdateLeavesABrokenListAlone(t *testing.T) {
	path := file(t, "SHA256SUMS", "broken\n"+sumA.String()+"  a\n")
	var wrong *sums.LineError
	err := sums.Update(t.Context(), path, func(l sums.List) (sums.List, error) { return nil, nil })
	if !errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
	if data, _ := os.ReadFile(path); !strings.HasPrefix(string(data), "broken") {
		t.Errorf("it holds %q", data)
	}
}
