package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// These bound small files of others, in bytes.
const (
	maxList      = 8 << 20
	maxSignature = 64 << 10
)

// list is a list of sums, as text.
type list struct {
	name    string // as a person knows it
	text    []byte
	signed  bool // its signature holds
	vouched bool // it is the caller's, or of a trusted host
}

// require makes the sum of a name the wanted sum.
func (l *list) require(name string, install *store.InstallOptions) error {
	sum, err := sums.Lookup(l.name, l.text, name)
	if err != nil {
		return err
	}
	if !install.Want.IsZero() && install.Want != sum {
		return fmt.Errorf("%s and the given sum contradict each other: %w", l.name,
			&sums.MismatchError{Path: name, Want: install.Want, Got: sum})
	}
	install.Want = sum
	return nil
}

// list finds the list of sums for a file: the list of the settings or, beside the
// file, the first list with the file. Where signatures are required an unsigned list
// beside it does not count. It returns nil if there is none.
func (c *client) list(ctx context.Context, address *url.URL, sumsAt, file string) (*list, error) {
	if sumsAt != "" {
		return c.named(ctx, sumsAt)
	}
	for _, name := range listNames(file) {
		found, err := c.listAt(ctx, beside(address, name))
		if isMissing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if c.Signatures.required() && !found.signed {
			continue
		}
		if _, err := sums.Lookup(found.name, found.text, file); errors.Is(err, sums.ErrNotListed) {
			continue
		}
		return found, nil
	}
	return nil, nil
}

// listNames are the names of lists from release tools.
func listNames(file string) []string {
	var names []string
	bare := file
	for _, suffix := range []string{".tar.gz", ".tgz", ".zip", ".exe"} {
		bare = strings.TrimSuffix(bare, suffix)
	}
	if fields := strings.Split(bare, "_"); len(fields) > 1 {
		prefix := fields[0] + "_" + fields[1] // the plugin and its version
		names = append(names, prefix+"_SHA256SUMS", prefix+"_checksums.txt")
	}
	return append(names, "SHA256SUMS", "checksums.txt", file+".sha256")
}

// beside is the address of another file in the same place.
func beside(address *url.URL, name string) *url.URL {
	at := address.ResolveReference(&url.URL{Path: "./" + name})
	at.RawQuery = address.RawQuery
	return at
}

// named gets the caller's list, by a path or an address.
func (c *client) named(ctx context.Context, location string) (*list, error) {
	address, err := parseAddress(location)
	if err != nil {
		return nil, err
	}
	if address != nil {
		return c.listAt(ctx, address)
	}
	text, err := files.Read(location, maxList)
	if err != nil {
		return nil, err
	}
	found := &list{name: location, text: text, vouched: true}
	return found, c.checkList(ctx, found, filepath.Base(location), func() ([]byte, error) {
		return files.Read(location+c.Signatures.Suffix, maxSignature)
	})
}

// listAt gets the list at an address. A list from another host vouches for nothing,
// unless it is signed.
func (c *client) listAt(ctx context.Context, address *url.URL) (*list, error) {
	text, vouched, err := c.all(ctx, address, maxList, true)
	if err != nil {
		return nil, err
	}
	found := &list{name: address.Redacted(), text: text, vouched: vouched}
	base := path.Base(address.Path)
	return found, c.checkList(ctx, found, base, func() ([]byte, error) {
		signature, _, err := c.all(ctx, beside(address, base+c.Signatures.Suffix), maxSignature, true)
		return signature, err
	})
}

// checkList verifies the signature of a list, if there is one, where signatures are
// required.
func (c *client) checkList(ctx context.Context, l *list, name string, read func() ([]byte, error)) error {
	if !c.Signatures.required() {
		return nil
	}
	signature, err := read()
	if isMissing(err) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	l.signed = true
	return c.Signatures.verify(ctx, Signed{Name: name, Content: bytes.NewReader(l.text), Signature: signature})
}
