package store

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/internal/text"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// ArchiveError says why an archive is not installed.
type ArchiveError struct {
	// Archive is the file.
	Archive string
	// Entry is the name of the faulty entry. Empty: none is.
	Entry string
	// Reason is the fault. Empty: Err says it.
	Reason string
	// Err is the error of reading it, a *[SizeError], or nil.
	Err error
}

func (e *ArchiveError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the archive %s", e.Archive)
	if e.Entry != "" {
		fmt.Fprintf(&b, ", entry %q", text.Clip(e.Entry, shownName))
	}
	b.WriteString(": " + e.Reason)
	if e.Reason != "" && e.Err != nil {
		b.WriteString(": ")
	}
	if e.Err != nil {
		b.WriteString(e.Err.Error())
	}
	return text.Printable(b.String())
}

// Unwrap returns Err.
func (e *ArchiveError) Unwrap() error { return e.Err }

// These bound a foreign archive, beside InstallOptions.MaxSize.
const (
	maxEntries      = 10_000
	maxEntryName    = 4 << 10
	maxZipDirectory = 4 << 20 // bytes; archive/zip holds all of it in memory
	shownEntries    = 10
	shownName       = 200 // bytes of an entry's name in an error
	shownPath       = 4 << 10
)

// cutArchive removes an archive's suffix from a file name.
func cutArchive(file string) (bare string, archived bool) {
	for _, suffix := range []string{".tar.gz", ".tgz", ".zip"} {
		if len(file) > len(suffix) && strings.EqualFold(file[len(file)-len(suffix):], suffix) {
			return file[:len(file)-len(suffix)], true
		}
	}
	return file, false
}

func isZip(file string) bool { return strings.EqualFold(path.Ext(file), ".zip") }

// unpacking goes through an archive. It looks at every entry, and writes only the
// program.
type unpacking struct {
	*installation

	ctx     context.Context
	left    int64           // bytes left to unpack
	seen    map[string]bool // the names of the files so far
	entries int
	program string // the name of the program's entry
}

// unpackArchive writes the one program of the archive into the staging directory, and
// returns the name of the file.
func (i *installation) unpackArchive(ctx context.Context, file *os.File) (string, error) {
	u := &unpacking{installation: i, ctx: ctx, left: i.MaxSize, seen: make(map[string]bool)}
	read := u.tarball
	if isZip(i.File) {
		read = u.zip
	}
	if err := read(file); err != nil {
		var failure *ArchiveError
		if ctx.Err() == nil && !errors.As(err, &failure) {
			err = &ArchiveError{Archive: i.given, Reason: "it cannot be read", Err: unexpected(err)}
		}
		return "", err
	}
	if u.program == "" {
		return "", u.wrong("", "no program in it is called "+i.store.Naming.String()+u.contents())
	}
	return path.Base(u.program), nil
}

// unexpected adds to an end in the middle of the archive the likely cause.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("it breaks off, perhaps since it was not copied to its end: %w", io.ErrUnexpectedEOF)
	}
	return err
}

func (u *unpacking) wrong(entry, reason string) error {
	return &ArchiveError{Archive: u.given, Entry: entry, Reason: reason}
}

// contents lists some files found instead of a program.
func (u *unpacking) contents() string {
	var names []string
	for name := range u.seen {
		if names = append(names, text.Clip(name, shownName)); len(names) == shownEntries {
			break
		}
	}
	if len(names) == 0 {
		return ", and no other file"
	}
	return ", but " + strings.Join(names, ", ")
}

// enter checks the name and the kind of an entry, and tells whether it is the
// program.
func (u *unpacking) enter(name string, mode fs.FileMode) (program bool, err error) {
	if u.entries++; u.entries > maxEntries {
		return false, u.wrong("", fmt.Sprintf("it has more than %d entries", maxEntries))
	}
	clean, reason := cleanEntry(name)
	switch {
	case reason != "":
		return false, u.wrong(name, reason)
	case mode.IsDir():
		return false, nil
	case mode&fs.ModeSymlink != 0:
		return false, u.wrong(name, "it is a link, and a release needs none")
	case !mode.IsRegular():
		return false, u.wrong(name, "it is no regular file")
	case u.seen[clean]:
		return false, u.wrong(name, "two entries have this name")
	}
	u.seen[clean] = true
	if !u.isProgram(path.Base(clean)) {
		return false, nil
	}
	if u.program != "" {
		return false, u.wrong(name, fmt.Sprintf("it is a second program, beside %q: install one file of them", text.Clip(u.program, shownName)))
	}
	u.program = clean
	return true, nil
}

// cleanEntry returns the entry's path in the archive, or its fault: it would lead out
// of a directory into which somebody unpacks it.
func cleanEntry(name string) (clean, reason string) {
	clean = path.Clean(name)
	switch {
	case name == "" || len(name) > maxEntryName:
		return "", fmt.Sprintf("its name must have 1 to %d bytes", maxEntryName)
	case strings.ContainsAny(name, "\\\x00"):
		return "", "its name has a backslash or a NUL byte"
	case path.IsAbs(name) || len(name) > 1 && name[1] == ':':
		return "", "its name is an absolute path"
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", "its name leads out of the archive"
		}
	}
	return clean, ""
}

// documents lie in archives beside a program, under names without a suffix.
var documents = map[string]bool{
	"readme": true, "license": true, "licence": true, "copying": true, "notice": true, "changelog": true, "changes": true, "authors": true,
}

func (u *unpacking) isProgram(base string) bool {
	_, err := u.store.Naming.Parse(base)
	return err == nil && !documents[strings.ToLower(base)]
}

// extract writes the program.
func (u *unpacking) extract(name string, r io.Reader) error {
	hash := sha256.New()
	if err := u.staging.write(path.Base(u.program), 0o755, r, u.left, hash); err != nil {
		return u.failed(name, err)
	}
	u.sum = sums.Sum(hash.Sum(nil))
	return nil
}

// failed makes the error of an entry one of the archive. The remaining bytes bound
// all entries, so a size error is the archive's.
func (u *unpacking) failed(name string, err error) error {
	if u.ctx.Err() != nil {
		return context.Cause(u.ctx)
	}
	var large *SizeError
	if errors.As(err, &large) {
		return &ArchiveError{Archive: u.given, Entry: name, Err: &SizeError{Path: "its unpacked content", Limit: u.MaxSize}}
	}
	return &ArchiveError{Archive: u.given, Entry: name, Reason: "it cannot be unpacked", Err: unexpected(err)}
}

// tarball reads a .tar.gz to its end; its checksum covers all of it.
func (u *unpacking) tarball(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	told := func(done int64) { u.progress("unpack", done, info.Size()) }
	packed, err := gzip.NewReader(bufio.NewReader(&counter{r: files.UntilDone{Ctx: u.ctx, Reader: file}, told: told}))
	if err != nil {
		return err
	}
	// Headers count too, and one more byte distinguishes a too large archive from one
	// with its end there.
	bounded := &budget{r: packed, left: &u.left}
	reader := tar.NewReader(bounded)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return u.failed("", err)
		}
		if err := u.tarEntry(reader, header); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, bounded); err != nil {
		return u.failed("", err)
	}
	return nil
}

func (u *unpacking) tarEntry(reader *tar.Reader, header *tar.Header) error {
	var mode fs.FileMode
	switch header.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil // a remark of the archiving program
	case tar.TypeReg:
	case tar.TypeDir:
		mode = fs.ModeDir
	case tar.TypeLink, tar.TypeSymlink:
		mode = fs.ModeSymlink
	default:
		mode = fs.ModeIrregular
	}
	program, err := u.enter(header.Name, mode)
	if err != nil || !program {
		return err
	}
	return u.extract(header.Name, reader)
}

// budget is a reader that fails after more bytes than are left.
type budget struct {
	r    io.Reader
	left *int64
}

func (b *budget) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if *b.left -= int64(n); *b.left < 0 {
		return 0, &SizeError{}
	}
	return n, err
}

// zip reads the directory of a .zip, and the program.
func (u *unpacking) zip(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	at := &directoryReader{file: file, left: maxZipDirectory}
	reader, err := zip.NewReader(at, info.Size())
	if err != nil {
		return err
	}
	at.read = true
	var program *zip.File
	for _, entry := range reader.File {
		is, err := u.enter(entry.Name, entry.Mode())
		if err != nil {
			return err
		}
		if entry.UncompressedSize64 > uint64(u.left) {
			return u.failed(entry.Name, &SizeError{})
		}
		u.left -= int64(entry.UncompressedSize64)
		if is {
			program = entry
		}
	}
	if program == nil {
		return nil
	}
	const encrypted = 1
	if program.Flags&encrypted != 0 {
		return u.wrong(program.Name, "it is encrypted")
	}
	r, err := program.Open()
	if err != nil {
		return u.failed(program.Name, err)
	}
	defer r.Close()
	u.left = int64(program.UncompressedSize64) // more would belie the directory
	told := func(done int64) { u.progress("unpack", done, int64(program.UncompressedSize64)) }
	return u.extract(program.Name, &counter{r: files.UntilDone{Ctx: u.ctx, Reader: r}, told: told})
}

// directoryReader bounds archive/zip's reading of a directory, and then no more.
type directoryReader struct {
	file *os.File
	left int
	read bool
}

func (d *directoryReader) ReadAt(p []byte, offset int64) (int, error) {
	if !d.read {
		if d.left -= len(p); d.left < 0 {
			return 0, errors.New("its directory is too large")
		}
	}
	return d.file.ReadAt(p, offset)
}
