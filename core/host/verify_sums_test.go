package host_test

import (
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/verify"
)

func TestSumsFileLetsOnlyListedProgramsRun(t *testing.T) {
	cfg, sum := installed(t)
	path := cfg.Command.Path
	name, dir := filepath.Base(path), filepath.Dir(path)
	good, bad := fmt.Sprintf("%x", sum), strings.Repeat("0", 64)
	for title, test := range map[string]struct {
		text   string
		line   int      // of a *SumsError; -1: there is none
		parts  []string // of a failure; nil: it runs
		differ bool     // the failure is a *ChecksumError
	}{
		"as sha256sum writes it":        {text: good + "  " + name + "\n"},
		"of binary mode":                {text: good + " *" + name + "\n"},
		"without an end of line":        {text: good + "  " + name},
		"with CRLF":                     {text: good + "  " + name + "\r\n"},
		"in capitals":                   {text: strings.ToUpper(good) + "  " + name + "\n"},
		"with --tag":                    {text: "SHA256 (" + name + ") = " + good + "\n"},
		"tagged with Go's name":         {text: "SHA-256 (" + name + ") = " + good + "\n"},
		"among others":                  {text: bad + "  other\n" + good + "  " + name + "\n" + bad + "  zebra\n"},
		"in a signed message":           {text: "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" + good + "  " + name + "\n-----BEGIN PGP SIGNATURE-----\niHUEABYK\n"},
		"beside broken lines":           {text: "nonsense\n" + bad[1:] + "  other\nxyz  another\n" + good + "  " + name + "\n"},
		"in a directory":                {text: good + "  dist/" + name + "\n"},
		"twice the same":                {text: good + "  a/" + name + "\n" + good + "  b/" + name + "\n"},
		"at its place, twice the same":  {text: good + "  " + name + "\n" + good + " *./" + name + "\n"},
		"by its path, twice the same":   {text: good + "  " + name + "\n" + good + "  " + path + "\n"},
		"at its place, other broken":    {text: "xyz  other/" + name + "\n" + good + "  " + name + "\n" + good[2:] + "  another/" + name + "\n"},
		"after a comment on it":         {text: "#  " + name + "\n#" + bad + "  " + name + "\n" + good + "  " + name + "\n"},
		"after a byte order mark":       {text: "\ufeff" + good + "  " + name + "\n"},
		"tagged, after such a mark":     {text: "\ufeffSHA256 (" + name + ") = " + good + "\n"},
		"at its place, and in the root": {text: bad + "  /" + name + "\n" + good + "  " + name + "\n"},
		"at its place, and another one": {text: bad + "  other/" + name + "\n" + good + "  ./" + name + "\n"},

		"another sum":               {text: bad + "  " + name + "\n", line: -1, differ: true, parts: []string{good, bad}},
		"not listed":                {text: good + "  other\n", parts: []string{"is not listed", name, "SHA256SUMS"}},
		"empty":                     {parts: []string{"is not listed"}},
		"ambiguous":                 {text: good + "  a/" + name + "\n" + bad + "  b/" + name + "\n", line: 2, parts: []string{"another sum than in line 1", "line 2"}},
		"at its place, twice":       {text: good + "  " + name + "\n" + bad + "  ./" + name + "\n", line: 2, parts: []string{"another sum than in line 1", "line 2"}},
		"at its place, the other":   {text: bad + "  " + name + "\n" + good + "  " + path + "\n", line: 2, parts: []string{"another sum than in line 1", "line 2"}},
		"at its place, broken":      {text: good + "  " + name + "\nxyz  " + name + "\n" + good + "  other/" + name + "\n", line: 2, parts: []string{"hexadecimal", "line 2"}},
		"not listed, and a comment": {text: "# " + name + "\n\n" + good + "  other\n", parts: []string{name + `" is not listed in`}},
		"not listed, as it seems": {text: good + "  other\n\n" + good + "\t" + name + "\nSHA512 (" + name + ") = " + good + "\nxyz  another\n",
			parts: []string{"is not listed", "3 lines cannot be read", "line 3"}},
		"in other characters": {text: string(utf16le("\ufeff" + good + "  " + name + "\n")), parts: []string{"is not listed", "cannot be read", "line 1"}},
		"a short sum":         {text: "\n" + good[2:] + "  " + name + "\n", line: 2, parts: []string{"31 bytes", "SHA-256 has 32"}},
		"no sum":              {text: "sum  " + name + "\n", line: 1, parts: []string{"hexadecimal", "line 1"}},
		"too long":            {text: strings.Repeat("x", 20<<10) + "\n" + good + "  " + name + "\n", parts: []string{"line 1", "longer than 16384 bytes", "is it a file of sums"}},
		"a program":           {text: "SHA256\n" + strings.Repeat("\x00", 20<<10), parts: []string{"line 2", "longer than 16384 bytes", "is it a file of sums"}},
	} {
		t.Run(title, func(t *testing.T) {
			sums := filepath.Join(dir, "SHA256SUMS")
			if err := os.WriteFile(sums, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg := cfg
			cfg.Verify.Verifier = verify.SumsFile(crypto.SHA256, sums)
			if test.parts == nil {
				launchAndClose(t, cfg)
				return
			}
			failure := fail(t, within(t), cfg)
			mention(t, failure, test.parts...)
			var unlisted *verify.SumsError
			if errors.As(failure, &unlisted) != (test.line >= 0) || unlisted != nil && unlisted.Line != test.line {
				t.Errorf("got %+v", unlisted)
			}
			var mismatch *verify.ChecksumError
			if errors.As(failure, &mismatch) != test.differ {
				t.Errorf("got %v", failure)
			}
		})
	}
}

// utf16le is how some editors write.
func utf16le(text string) (encoded []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		encoded = binary.LittleEndian.AppendUint16(encoded, unit)
	}
	return encoded
}

func TestSumsFileIsReadAtEachLaunch(t *testing.T) {
	cfg, sum := installed(t)
	sums := filepath.Join(t.TempDir(), "SHA256SUMS")
	cfg.Verify.Verifier = verify.SumsFile(crypto.SHA256, sums)
	failure := fail(t, within(t), cfg)
	if failure.Stage != host.StageVerify || !errors.Is(failure, fs.ErrNotExist) {
		t.Errorf("stage %s, %v", failure.Stage, failure)
	}
	mention(t, failure, sums)

	line := fmt.Sprintf("%x  %s\n", sum, filepath.Base(cfg.Command.Path))
	if err := os.WriteFile(sums, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	launchAndClose(t, cfg)
}

// The name in the file is the one that is launched: a link to another listed
// program does not make that one what was meant.
func TestSumsFileGoesByTheNameThatIsLaunched(t *testing.T) {
	cfg, sum := installed(t)
	dir := t.TempDir()
	link := filepath.Join(dir, "meant")
	if err := os.Symlink(cfg.Command.Path, link); err != nil {
		t.Skip("needs: symbolic links: ", err)
	}
	sums := filepath.Join(dir, "SHA256SUMS")
	text := fmt.Sprintf("%x  %s\n", sum, filepath.Base(cfg.Command.Path))
	if err := os.WriteFile(sums, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Command.Path = link
	cfg.Verify.Verifier = verify.SumsFile(crypto.SHA256, sums)
	mention(t, fail(t, within(t), cfg), `"meant" is not listed`)
}
