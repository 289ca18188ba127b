package discovery

import "strings"

// sideFile tells whether a file lies beside plugins and is none, whatever its
// name begins with: hidden files and those of editors and downloads, sums,
// signatures, archives, remarks. Running a list of checksums is a mistake that
// has been made.
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
	// Sums, signatures, what else a release carries.
	".md5": true, ".sha1": true, ".sha256": true, ".sha512": true, ".sha256sum": true, ".sha512sum": true, ".sums": true,
	".sig": true, ".asc": true, ".minisig": true, ".sigstore": true, ".pem": true, ".crt": true, ".cert": true, ".sbom": true,
	".zip": true, ".tar": true, ".tgz": true, ".gz": true, ".bz2": true, ".xz": true, ".zst": true,
	// What is not finished, or was replaced.
	".tmp": true, ".temp": true, ".part": true, ".partial": true, ".download": true, ".crdownload": true,
	".bak": true, ".old": true, ".orig": true, ".rej": true, ".swp": true, ".swo": true, ".new": true,
	// What is written about a plugin, or by it.
	".json": true, ".jsonl": true, ".yaml": true, ".yml": true, ".toml": true, ".hcl": true, ".ini": true, ".conf": true,
	".txt": true, ".md": true, ".html": true, ".log": true, ".lock": true, ".pid": true, ".sock": true, ".pdb": true, ".dsym": true,
}
