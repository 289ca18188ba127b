package diagnose

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// headSize is the number of bytes read to identify a file. It is Linux's limit
// for a script's first line.
const headSize = 256

// content is a file opened for inspection.
type content struct {
	*os.File

	path string
	size int64
	head []byte
}

// openContent opens a regular file.
func openContent(path string) (*content, error) {
	// Checked before opening: opening a named pipe would wait for its writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	head := make([]byte, headSize)
	n, err := io.ReadFull(file, head)
	if err != nil && n == 0 {
		file.Close()
		return nil, err
	}
	return &content{File: file, path: path, size: info.Size(), head: head[:n]}, nil
}

// image reads the headers of an executable file. ok is false for other formats.
func (c *content) image() (image, bool) {
	switch {
	case bytes.HasPrefix(c.head, []byte("\x7fELF")):
		return readELF(c, c.size)
	case bytes.HasPrefix(c.head, []byte("MZ")):
		return readPE(c)
	default:
		return readMachO(c)
	}
}

// foreign describes a file that no system runs.
func (c *content) foreign() string {
	if bytes.HasPrefix(c.head, []byte("\xef\xbb\xbf#!")) {
		return fmt.Sprintf("%q has a byte order mark before its #!, so the system does not treat it as a script: "+
			"save it without the mark", c.path)
	}
	for _, f := range foreignFormats {
		if bytes.HasPrefix(c.head, []byte(f.magic)) {
			return fmt.Sprintf("%q is %s, not a program: %s", c.path, f.name, f.advice)
		}
	}
	if isText(c.head) {
		return fmt.Sprintf("%q is a text without a #! line: start it with the line #!/path/of/its/interpreter, "+
			"or build it if it is source code", c.path)
	}
	return fmt.Sprintf("%q is neither an ELF, Mach-O or PE program nor a script: build or install it again", c.path)
}

// foreignFormats are often found in place of a program: downloads not yet
// unpacked, and error pages saved as the download.
var foreignFormats = []struct{ magic, name, advice string }{
	{"\x1f\x8b", "a gzip archive", "unpack it"},
	{"PK\x03\x04", "a zip archive", "unpack it"},
	{"BZh", "a bzip2 archive", "unpack it"},
	{"\xfd7zXZ\x00", "an xz archive", "unpack it"},
	{"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it"},
	{"!<arch>\n", "an archive of object files", "build a program (in Go: package main)"},
	{"<!DOCTYPE", "an HTML page", "download it again"},
	{"<!doctype", "an HTML page", "download it again"},
	{"<html", "an HTML page", "download it again"},
	{"version https://git-lfs", "a Git LFS pointer", "fetch its file with git lfs pull"},
}

// isText reports whether the head of a file is UTF-8 without control characters
// other than white space.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, size := utf8.DecodeRune(head)
		switch {
		case r == utf8.RuneError && size == 1:
			return !utf8.FullRune(head) // the head ends within a character
		case r == 0x7f, r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f':
			return false
		}
		head = head[size:]
	}
	return true
}
