package handshake

import "strings"

// IsCandidate reports whether a line of a plugin's standard output is meant as
// a handshake line. A host passes candidates to [Parse] and reports its error.
// Every other line is noise: the host skips it and reads on.
//
// A line that starts with "1|" is always a candidate. A line with another
// number is a candidate if it has the shape of a handshake line. The shape is
// at least four fields, with a number in the second or a known network in the
// third. So a line of a later core version is reported, and a progress bar or a
// table row is noise.
func IsCandidate(line string) bool {
	line = strings.TrimSpace(line)
	fields := strings.SplitN(line, "|", minFields+1)
	if len(fields) < 2 || !isNumber(fields[0]) {
		return false
	}
	if strings.TrimLeft(fields[0], "0") == "1" {
		return true
	}
	if len(fields) < minFields {
		return false
	}
	return isNumber(fields[1]) || fields[2] == NetworkUnix || fields[2] == NetworkTCP
}

// isNumber reports whether s could be a version.
func isNumber(s string) bool {
	_, ok := decimal(s, 1<<62)
	return ok
}

// maxGlued limits the start positions that [SplitGlued] tries. Each can cost a
// pass over the line.
const maxGlued = 8

// SplitGlued recognises a handshake line behind noise on the same line, as in
//
//	loading...1|1|unix|/tmp/plugin/s|netrpc|
//
// from a plugin that printed without a newline before it served. It returns the
// noise and the rest, which [Parse] accepts. ok is false without a valid rest,
// without noise, and for lines over [MaxLine]. Its purpose is a precise error
// text; go-plugin's hosts refuse these lines.
func SplitGlued(line string) (noise, rest string, ok bool) {
	if len(line) > MaxLine {
		return "", "", false
	}
	for from, tries := 0, 0; tries < maxGlued; {
		at := strings.Index(line[from:], "1|")
		if at < 0 {
			break
		}
		noise, rest = line[:from+at], line[from+at:]
		from += at + 1
		if strings.TrimSpace(noise) == "" || !isBeginning(rest) {
			continue
		}
		tries++
		if _, err := Parse(rest); err == nil {
			return noise, rest, true
		}
	}
	return "", "", false
}

// isBeginning reports whether a line of core version 1 could begin here. It
// reads up to the third field.
func isBeginning(text string) bool {
	fields := strings.SplitN(text, "|", minFields)
	return len(fields) == minFields && isNumber(fields[1]) &&
		(fields[2] == NetworkUnix || fields[2] == NetworkTCP)
}
