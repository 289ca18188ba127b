package discovery

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/jackfield-go/jackfield/discovery/semver"
)

// compiled is a naming, ready for a comparison with many names.
type compiled struct {
	prefixes []prefix
	glob     string
}

// prefix begins the names of one kind's files.
type prefix struct{ text, kind string }

func (n Naming) compile() compiled {
	if n.Glob != "" {
		return compiled{glob: n.Glob}
	}
	var c compiled
	for _, kind := range n.kinds() {
		c.prefixes = append(c.prefixes, prefix{n.prefix(kind), kind})
	}
	// Of two kinds with the same beginning the longer one counts.
	slices.SortStableFunc(c.prefixes, func(a, b prefix) int { return cmp.Compare(len(b.text), len(a.text)) })
	return c
}

// matches reports whether the name begins as a plugin's does, and is not that of a
// file beside plugins.
func (c compiled) matches(name string) bool {
	if c.glob != "" {
		ok, err := path.Match(c.glob, name)
		return ok && err == nil && !sideFile(name)
	}
	_, _, ok := c.cut(name)
	return ok && !sideFile(name)
}

// cut removes the prefix.
func (c compiled) cut(name string) (kind, rest string, ok bool) {
	for _, prefix := range c.prefixes {
		if rest, ok := strings.CutPrefix(name, prefix.text); ok {
			return prefix.kind, rest, true
		}
	}
	return "", "", false
}

// parse takes the name apart. With an error it returns the readable part: perhaps a
// kind and a name.
func (c compiled) parse(name string) (ID, error) {
	if c.glob != "" {
		return c.parseGlob(name)
	}
	kind, rest, ok := c.cut(name)
	if !ok {
		return ID{}, ErrNotPluginName
	}
	id, err := parseRest(name, rest)
	id.Kind = kind
	return id, err
}

func (c compiled) parseGlob(file string) (ID, error) {
	if ok, err := path.Match(c.glob, file); err != nil || !ok {
		return ID{}, ErrNotPluginName
	}
	bare, exe := cutExe(file)
	if bare == "" || len(file) > maxFileName {
		return ID{}, &NameError{File: file, Reason: fmt.Sprintf("it must have 1 to %d bytes", maxFileName)}
	}
	return ID{Name: bare, Exe: exe}, nil
}

// cutExe removes .exe; on Windows some names have it in capitals.
func cutExe(file string) (bare string, exe bool) {
	if !isExe(file) {
		return file, false
	}
	return file[:len(file)-len(exeSuffix)], true
}

func isExe(file string) bool {
	return len(file) >= len(exeSuffix) && strings.EqualFold(file[len(file)-len(exeSuffix):], exeSuffix)
}

// parseRest parses the part after the prefix.
func parseRest(file, rest string) (ID, error) {
	if len(file) > maxFileName {
		return ID{}, &NameError{File: file, Reason: fmt.Sprintf("it is longer than %d bytes", maxFileName)}
	}
	var id ID
	rest, id.Exe = cutExe(rest)
	word, fields, more := strings.Cut(rest, "_")
	if reason := checkWord(word); reason != "" {
		return ID{}, &NameError{File: file, Reason: "the plugin's name " + reason}
	}
	id.Name = word
	if !more {
		return id, nil
	}
	// A v alone may also begin a platform.
	if number := strings.TrimPrefix(fields, "v"); !isPlatform(fields) && (number != fields || number != "" && digit(number[0])) {
		version, rest, more := strings.Cut(fields, "_")
		parsed, err := semver.Parse(version)
		if err != nil {
			return id, &NameError{File: file, Reason: "after the name there is no version: " + err.Error(), Err: err}
		}
		id.Version = parsed
		if api, platform, both := strings.Cut(rest, "_"); more && isAPI(api) {
			rest, more = platform, both
		}
		if !more {
			return id, nil
		}
		fields = rest
	}
	platform, ok := ParsePlatform(fields)
	if !ok {
		return id, &NameError{File: file, Reason: "after an underscore there must be _v and a version, an operating system and an architecture, or both"}
	}
	id.Platform = platform
	return id, nil
}

// isAPI reports whether a field is the version of an application's API, as in names
// from Packer's release tools: x5.0. The plugin itself tells its protocols.
func isAPI(field string) bool {
	major, minor, both := strings.Cut(strings.TrimPrefix(field, "x"), ".")
	return strings.HasPrefix(field, "x") && both && digits(major) && digits(minor)
}

func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func isPlatform(fields string) bool {
	_, ok := ParsePlatform(fields)
	return ok
}

// sideFile reports whether a file lies beside plugins and is none, whatever its name
// begins with: hidden files and those of editors and downloads, sums, signatures,
// archives, remarks. Running a list of checksums is a mistake made before.
func sideFile(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") || strings.HasSuffix(name, "~") {
		return true
	}
	if len(name) > 4 && strings.EqualFold(name[len(name)-4:], "sums") {
		lower := strings.ToLower(name)
		for _, algorithm := range []string{"md5", "sha1", "sha256", "sha512"} {
			if strings.HasSuffix(lower, algorithm+"sums") {
				return true
			}
		}
	}
	dot := strings.LastIndexByte(name, '.')
	// The dots of a version are followed by more than a suffix has.
	return dot >= 0 && len(name)-dot <= longestSuffix && sideSuffixes[strings.ToLower(name[dot:])]
}

const longestSuffix = len(".crdownload")

var sideSuffixes = map[string]bool{
	// Sums, signatures, other parts of a release.
	".md5": true, ".sha1": true, ".sha256": true, ".sha512": true, ".sha256sum": true, ".sha512sum": true, ".sums": true,
	".sig": true, ".asc": true, ".minisig": true, ".sigstore": true, ".pem": true, ".crt": true, ".cert": true, ".sbom": true,
	".zip": true, ".tar": true, ".tgz": true, ".gz": true, ".bz2": true, ".xz": true, ".zst": true,
	// Unfinished or replaced files.
	".tmp": true, ".temp": true, ".part": true, ".partial": true, ".download": true, ".crdownload": true,
	".bak": true, ".old": true, ".orig": true, ".rej": true, ".swp": true, ".swo": true, ".new": true,
	// Texts about a plugin, or from it.
	".json": true, ".jsonl": true, ".yaml": true, ".yml": true, ".toml": true, ".hcl": true, ".ini": true, ".conf": true,
	".txt": true, ".md": true, ".html": true, ".log": true, ".lock": true, ".pid": true, ".sock": true, ".pdb": true, ".dsym": true,
}
