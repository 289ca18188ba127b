package store_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// entry is one of an archive. Kind is tar's; zip knows files, directories and links.
type entry struct {
	name, content string
	kind          byte
}

func tarball(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	w := tar.NewWriter(packed)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: 0o755, Size: int64(len(e.content))}
		switch e.kind {
		case 0:
			header.Typeflag = tar.TypeReg
		case tar.TypeSymlink, tar.TypeLink:
			header.Linkname, header.Size, e.content = e.content, 0, ""
		case tar.TypeXGlobalHeader:
			header = &tar.Header{Typeflag: e.kind, PAXRecords: map[string]string{"comment": e.content}}
			e.content = ""
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), packed.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zipped(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		switch e.kind {
		case 0:
			header.SetMode(0o644) // as it comes from Windows
		case tar.TypeDir:
			header.SetMode(fs.ModeDir | 0o755)
		case tar.TypeSymlink:
			header.SetMode(fs.ModeSymlink | 0o777)
		case tar.TypeChar:
			header.SetMode(fs.ModeDevice | 0o600)
		default:
			t.Fatalf("no %c in a zip", e.kind)
		}
		file, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(file, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// archives makes the same archive in both forms.
func archives(t testing.TB, entries ...entry) map[string][]byte {
	return map[string][]byte{".tar.gz": tarball(t, entries...), ".zip": zipped(t, entries...)}
}

func self(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func exe(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

func TestInstallTakesTheProgramOfARelease(t *testing.T) {
	program := self(t)
	for suffix2, data := range archives(t,
		entry{name: "greet-plugin-agrees_1.4.0/", kind: tar.TypeDir},
		entry{name: "greet-plugin-agrees_1.4.0/README.md", content: "read me"},
		entry{name: "greet-plugin-agrees_1.4.0/LICENSE", content: "take it"},
		entry{name: "greet-plugin-agrees_1.4.0/greet-plugin-agrees.md", content: "a document"},
		entry{name: "greet-plugin-agrees_1.4.0/" + exe("greet-plugin-agrees"), content: program},
	) {
		s := newStore(t)
		path := filepath.Join(t.TempDir(), "greet-plugin-agrees_1.4.0_"+discovery.ThisPlatform().String()+suffix2)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		var unpacked store.Progress
		item, err := s.Install(testkit.Within(t), path, store.InstallOptions{
			Want: sums.Of(data), AppVersions: []int{5},
			Progress: func(p store.Progress) {
				if p.Stage == "unpack" {
					unpacked = p
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if item.Sum != sums.Of([]byte(program)) || filepath.Base(item.Path) != "greet-plugin-agrees_v1.4.0"+suffix() || item.Source != path {
			t.Errorf("%s: got %+v", suffix2, item)
		}
		if unpacked.Done != unpacked.Total || unpacked.Total <= 0 {
			t.Errorf("%s: progress ended with %+v", suffix2, unpacked)
		}
		if err := s.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(item.Path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v, %v", suffix2, info.Mode(), err)
		}
	}
}

// The archive's name may say nothing, and the program's in it all.
func TestProgramInAnArchiveCompletesTheArchivesName(t *testing.T) {
	name := exe("greet-plugin-loud_v1.4.0_x5.0_" + discovery.ThisPlatform().String())
	for suffix2, data := range archives(t, entry{name: name, content: "one"}) {
		s := newStore(t)
		item, err := s.InstallFrom(testkit.Within(t), bytes.NewReader(data), store.InstallOptions{File: "download" + suffix2, Undescribed: true})
		if err != nil || item.Name != "loud" || item.Version.String() != "1.4.0" {
			t.Errorf("%s: %+v, %v", suffix2, item, err)
		}
	}
}

func TestArchiveAndItsProgramMustNotContradictEachOther(t *testing.T) {
	for what, name := range map[string]string{
		"name": "greet-plugin-soft", "version": "greet-plugin-loud_v1.5.0", "platform": "greet-plugin-loud_vms_vax",
	} {
		s := newStore(t)
		data := tarball(t, entry{name: exe(name), content: "one"})
		_, err := s.InstallFrom(testkit.Within(t), bytes.NewReader(data), store.InstallOptions{
			File: "greet-plugin-loud_1.4.0_" + discovery.ThisPlatform().String() + ".tar.gz", Undescribed: true,
		})
		var claim *store.ClaimError
		if !errors.As(err, &claim) || claim.What != what {
			t.Errorf("%s: %v", what, err)
		}
		nothingInstalled(t, s)
	}
}

func TestArchiveThatCouldDoHarmIsRefused(t *testing.T) {
	program := entry{name: exe("greet-plugin-loud"), content: "one"}
	for title, test := range map[string]struct {
		entries []entry
		reason  string
		tarOnly bool
	}{
		"out of the directory":         {entries: []entry{program, {name: "../x", content: "x"}}, reason: "leads out"},
		"the program, out of it":       {entries: []entry{{name: "../" + program.name, content: "x"}}, reason: "leads out"},
		"out of it and back":           {entries: []entry{program, {name: "a/../../b", content: "x"}}, reason: "leads out"},
		"up, in the middle":            {entries: []entry{program, {name: "a/../b", content: "x"}}, reason: "leads out"},
		"an absolute path":             {entries: []entry{program, {name: "/etc/x", content: "x"}}, reason: "absolute"},
		"a drive":                      {entries: []entry{program, {name: "C:x", content: "x"}}, reason: "absolute"},
		"backslashes":                  {entries: []entry{program, {name: `..\x`, content: "x"}}, reason: "backslash"},
		"a symbolic link":              {entries: []entry{program, {name: "README", content: "/etc/passwd", kind: tar.TypeSymlink}}, reason: "link"},
		"the program, a link":          {entries: []entry{{name: program.name, content: "/bin/sh", kind: tar.TypeSymlink}}, reason: "link"},
		"a hard link":                  {entries: []entry{program, {name: "x", content: program.name, kind: tar.TypeLink}}, reason: "link", tarOnly: true},
		"a device":                     {entries: []entry{program, {name: "null", kind: tar.TypeChar}}, reason: "no regular file"},
		"a pipe":                       {entries: []entry{program, {name: "pipe", kind: tar.TypeFifo}}, reason: "no regular file", tarOnly: true},
		"the program twice":            {entries: []entry{program, program}, reason: "two entries"},
		"the program twice, disguised": {entries: []entry{program, {name: "./" + program.name, content: "two"}}, reason: "two entries"},
		"a document twice":             {entries: []entry{program, {name: "README", content: "1"}, {name: "README", content: "2"}}, reason: "two entries"},
		"two programs":                 {entries: []entry{program, {name: exe("greet-plugin-soft"), content: "two"}}, reason: "second program"},
		"two programs, by folders":     {entries: []entry{{name: "a/" + program.name, content: "1"}, {name: "b/" + program.name, content: "2"}}, reason: "second program"},
		"no program":                   {entries: []entry{{name: "README", content: "1"}, {name: "loud", content: "2"}}, reason: "no program"},
		"a folder for a program":       {entries: []entry{{name: program.name + "/", kind: tar.TypeDir}}, reason: "no program"},
		"nothing":                      {reason: "no program"},
		"many entries":                 {entries: manyEntries(20_000), reason: "10000 entries"},
	} {
		t.Run(title, func(t *testing.T) {
			forms := map[string][]byte{".tar.gz": tarball(t, test.entries...)}
			if !test.tarOnly {
				forms[".zip"] = zipped(t, test.entries...)
			}
			for suffix2, data := range forms {
				dir := t.TempDir()
				s := store.Store{Dir: filepath.Join(dir, "in", "plugins"), Naming: discovery.Naming{App: "greet"}}
				_, err := s.InstallFrom(testkit.Within(t), bytes.NewReader(data), store.InstallOptions{File: "greet-plugin-loud_1.0.0" + suffix2, Undescribed: true})
				var wrong *store.ArchiveError
				if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.reason) {
					t.Errorf("%s: %v", suffix2, err)
				}
				nothingInstalled(t, s)
				if got := files(t, filepath.Join(dir, "in")) + files(t, dir); got != "pluginsin" {
					t.Errorf("%s: there are %s", suffix2, got)
				}
			}
		})
	}
}

func manyEntries(n int) (entries []entry) {
	for i := range n {
		entries = append(entries, entry{name: fmt.Sprint("file", i)})
	}
	return entries
}

func TestArchiveThatUnpacksToTooMuchIsRefused(t *testing.T) {
	zeros := strings.Repeat("\x00", 8<<20)
	program := exe("greet-plugin-loud")
	for title, entries := range map[string][]entry{
		"the program":        {{name: program, content: zeros}},
		"a file beside it":   {{name: program, content: "one"}, {name: "README", content: zeros}},
		"all of it together": {{name: program, content: zeros[:3<<19]}, {name: "README", content: zeros[:3<<19]}},
	} {
		for suffix2, data := range archives(t, entries...) {
			s := newStore(t)
			_, err := s.InstallFrom(testkit.Within(t), bytes.NewReader(data), store.InstallOptions{File: "greet-plugin-loud" + suffix2, Undescribed: true, MaxSize: 2 << 20})
			var large *store.SizeError
			if !errors.As(err, &large) || large.Limit != 2<<20 || len(data) > 1<<20 {
				t.Errorf("%s, %s of %d bytes: %v", title, suffix2, len(data), err)
			}
			nothingInstalled(t, s)
		}
	}
}

// The directory of a zip says how large its files are.
func TestZipWhoseDirectoryLiesIsRefused(t *testing.T) {
	data := zipped(t, entry{name: exe("greet-plugin-loud"), content: strings.Repeat("\x00", 1<<20)})
	for _, size := range []uint32{10, 2 << 20} {
		forged := bytes.Clone(data)
		at := bytes.LastIndex(forged, []byte("PK\x01\x02"))
		forged[at+24], forged[at+25], forged[at+26], forged[at+27] = byte(size), byte(size>>8), byte(size>>16), byte(size>>24)
		s := newStore(t)
		_, err := s.InstallFrom(testkit.Within(t), bytes.NewReader(forged), store.InstallOptions{File: "greet-plugin-loud.zip", Undescribed: true})
		var wrong *store.ArchiveError
		if !errors.As(err, &wrong) {
			t.Errorf("%d: %v", size, err)
		}
		nothingInstalled(t, s)
	}
}

func TestArchiveThatIsDamagedIsReported(t *testing.T) {
	for suffix2, data := range archives(t, entry{name: exe("greet-plugin-loud"), content: strings.Repeat("some text ", 1000)}, entry{name: "README", content: "x"}) {
		flipped := bytes.Clone(data)
		flipped[60] ^= 0x55 // in the program
		for title, damaged := range map[string][]byte{
			"cut": data[:len(data)-10], "empty": {}, "another": []byte("<html>not found</html>"), "flipped": flipped,
		} {
			s := newStore(t)
			_, err := s.InstallFrom(testkit.Within(t), bytes.NewReader(damaged), store.InstallOptions{File: "greet-plugin-loud" + suffix2, Undescribed: true})
			var wrong *store.ArchiveError
			if !errors.As(err, &wrong) {
				t.Errorf("%s, %s: %v", title, suffix2, err)
			}
			if title == "cut" && suffix2 == ".tar.gz" && !strings.Contains(err.Error(), "breaks off") {
				t.Errorf("got %v", err)
			}
			nothingInstalled(t, s)
		}
	}
}

func TestInstallRefusesATooLargeFile(t *testing.T) {
	s := newStore(t)
	var large *store.SizeError
	path := testkit.Put(t, t.TempDir(), "greet-plugin-loud", strings.Repeat("x", 101))
	if _, err := s.Install(t.Context(), path, store.InstallOptions{MaxSize: 100, Undescribed: true}); !errors.As(err, &large) || large.Path != path {
		t.Errorf("got %v", err)
	}
	if _, err := s.InstallFrom(t.Context(), strings.NewReader(strings.Repeat("x", 101)), store.InstallOptions{
		File: "greet-plugin-loud", MaxSize: 100, Undescribed: true,
	}); !errors.As(err, &large) || large.Path != "greet-plugin-loud" {
		t.Errorf("got %v", err)
	}
	nothingInstalled(t, s)
	if _, err := s.InstallFrom(t.Context(), strings.NewReader(strings.Repeat("x", 100)), store.InstallOptions{
		File: "greet-plugin-loud", MaxSize: 100, Undescribed: true,
	}); err != nil {
		t.Error(err)
	}
}

// It sees the file as it was given, before anything of it is used.
func TestVerifyMayRefuseTheFile(t *testing.T) {
	s := newStore(t)
	data := tarball(t, entry{name: "../x"})
	refused := errors.New("not by us")
	_, err := s.InstallFrom(t.Context(), bytes.NewReader(data), store.InstallOptions{
		File: "greet-plugin-loud.tar.gz",
		Verify: func(_ context.Context, file *os.File) error {
			if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, data) {
				t.Errorf("it sees %d bytes, %v", len(got), err)
			}
			return refused
		},
	})
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	nothingInstalled(t, s)
}

func FuzzEntryName(f *testing.F) {
	for _, seed := range []string{"a", "a/b", "./a", "../a", "a/../b", "/a", `a\b`, "C:a", "", ".", "..", "a//b", "a/..", "a\x00b", "...", "a/.../b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean, reason := store.CleanEntry(name)
		if reason != "" {
			return
		}
		inside := filepath.Join("dir", filepath.FromSlash(clean))
		if !filepath.IsLocal(clean) || !strings.HasPrefix(inside, "dir") || strings.ContainsAny(clean, "\\\x00") {
			t.Errorf("%q became %q", name, clean)
		}
	})
}
