// Package fetch installs plugins from addresses: a program or a release's archive
// over HTTPS, compared with its list of sums and, where the application has a key, a
// signature.
//
//	signatures, err := fetch.Minisign("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3")
//	fetcher := fetch.Fetcher{Signatures: signatures}
//	item, err := fetcher.Install(ctx, plugins, fetch.Source{
//		Location: "https://plugins.example.com/loud/greet-plugin-loud_1.4.0_linux_amd64.tar.gz",
//	}, store.InstallOptions{AppVersions: []int{5}})
//
// It is a package of its own, so a program that only searches for plugins does not
// link net/http.
//
// # Trust
//
// The host of an address, and the hosts in Fetcher.Hosts, are trusted for the files
// that they serve themselves. A redirect to another host says only where the bytes
// are. Something independent of that other host must vouch for them: the caller's sum
// (store.InstallOptions.Want), a list of sums that the first host serves itself or that the
// caller has in a file, or a signature by the application's key. A list from another
// host still has to fit, but vouches for nothing. No redirect leads from https to
// http.
package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackfield-go/jackfield/discovery/store"
)

// Defaults of [Fetcher].
const (
	defaultMaxRedirects = 5
	defaultStallTimeout = 30 * time.Second
)

// Fetcher installs from addresses. The zero value takes https with a list of sums.
type Fetcher struct {
	// Transport makes the requests, one by one. Nil: a transport of its own, with the
	// proxies of the environment.
	Transport http.RoundTripper
	// Signatures is the required kind of signature for content from an address: for
	// its list of sums or, where there is no signed list, the file itself. Zero: no
	// signature is required.
	Signatures Scheme
	// AllowUnverified takes files from the host of the address itself even without a
	// sum or a signature.
	AllowUnverified bool
	// AllowHTTP takes plain http. Without it only a loopback address may have it.
	AllowHTTP bool
	// Hosts are those to which a trusted host may redirect as if they were itself,
	// with a port unless it is the scheme's own:
	// "release-assets.githubusercontent.com".
	Hosts []string
	// MaxRedirects bounds how many redirects one address may lead through. 0:
	// 5. Below 0: none.
	MaxRedirects int
	// StallTimeout bounds the time without a byte, from the connection on. 0:
	// 30 seconds. Below 0 only the context bounds it.
	StallTimeout time.Duration
}

// Source says where a plugin comes from.
type Source struct {
	// Location is a path, or an address (https://…), of a program or an archive. The
	// last element of an address is the file's name, unless InstallOptions.File is set.
	Location string
	// Sums is the path or the address of the list of sums with the file. Empty: for
	// an address it is looked for beside it, as <name>_<version>_SHA256SUMS,
	// <name>_<version>_checksums.txt, SHA256SUMS, checksums.txt and <file>.sha256;
	// for a path there is none.
	Sums string
}

// Install installs the file at a location into the store, as store.Store.Install
// does, and records the address as its source. Nothing of a file is unpacked or run
// before its sum and its signature were found right. From a path nothing is compared
// unless Sums names a list; the list must be signed where signatures are required.
//
// Beside the errors of Store.Install there are [ErrUnverified], [ErrUnsigned],
// [ErrInsecure], *[SignatureError], *[StatusError], *[RedirectError] and
// *[TransferError].
func (f Fetcher) Install(ctx context.Context, into store.Store, from Source, install store.InstallOptions) (*store.Item, error) {
	c := f.client()
	defer c.close()
	address, err := parseAddress(from.Location)
	if err != nil {
		return nil, err
	}
	if address == nil {
		return c.installFile(ctx, into, from, install)
	}
	item, err := c.installAddress(ctx, into, address, from.Sums, install)
	if err != nil {
		return nil, fmt.Errorf("install from %s: %w", address.Redacted(), err)
	}
	return item, nil
}

// parseAddress returns nil for a path.
func parseAddress(location string) (*url.URL, error) {
	if !strings.Contains(location, "://") {
		return nil, nil
	}
	address, err := url.Parse(location)
	if err != nil {
		return nil, err
	}
	if address.Scheme != "https" && address.Scheme != "http" || address.Host == "" {
		return nil, fmt.Errorf("%s is neither a path nor an https address", address.Redacted())
	}
	return address, nil
}

func (c *client) installFile(ctx context.Context, into store.Store, from Source, install store.InstallOptions) (*store.Item, error) {
	if from.Sums != "" {
		name := cmp.Or(install.File, filepath.Base(from.Location))
		list, err := c.named(ctx, from.Sums)
		if err != nil {
			return nil, err
		}
		if c.Signatures.required() && !list.signed {
			return nil, fmt.Errorf("the list of sums %s: %w", list.name, ErrUnsigned)
		}
		if err := list.require(name, &install); err != nil {
			return nil, err
		}
	}
	return into.Install(ctx, from.Location, install)
}

func (c *client) installAddress(ctx context.Context, into store.Store, address *url.URL, sumsAt string, install store.InstallOptions) (*store.Item, error) {
	install.File = cmp.Or(install.File, path.Base(address.Path))
	if install.File == "." || install.File == "/" {
		return nil, errors.New("the address does not end with the name of a file")
	}
	if c.insecure(address) {
		return nil, ErrInsecure
	}
	shown := *address
	shown.User = nil
	install.Source = cmp.Or(install.Source, shown.String())
	vouched, err := c.vouch(ctx, address, sumsAt, &install)
	if err != nil {
		return nil, err
	}
	t, err := c.get(ctx, address, vouched, true)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	if limit := cmp.Or(install.MaxSize, store.DefaultMaxSize); t.size > limit {
		return nil, &store.SizeError{Path: t.url, Limit: limit}
	}
	if told := install.Progress; told != nil {
		install.Progress = func(p store.Progress) {
			if p.Stage == "copy" {
				p.Stage, p.Total = "download", t.size
			}
			told(p)
		}
	}
	return into.InstallFrom(ctx, t, install)
}

// vouch finds the file's sum, and puts it into install. It reports whether the file
// may come from an untrusted host.
func (c *client) vouch(ctx context.Context, address *url.URL, sumsAt string, install *store.InstallOptions) (vouched bool, err error) {
	vouched = !install.Want.IsZero()
	list, err := c.list(ctx, address, sumsAt, install.File)
	if err != nil {
		return false, err
	}
	if list != nil {
		if err := list.require(install.File, install); err != nil {
			return false, err
		}
		if list.signed {
			return true, nil
		}
		vouched = vouched || list.vouched
	}
	if c.Signatures.required() {
		return true, c.requireSignature(ctx, address, install)
	}
	if install.Want.IsZero() && !c.AllowUnverified {
		return false, ErrUnverified
	}
	return vouched, nil
}

// requireSignature gets the signature of the file itself, and makes it a condition.
func (c *client) requireSignature(ctx context.Context, address *url.URL, install *store.InstallOptions) error {
	at := beside(address, path.Base(address.Path)+c.Signatures.Suffix)
	signature, _, err := c.all(ctx, at, maxSignature, true)
	if isMissing(err) {
		return fmt.Errorf("%w: there is no %s, nor a signature of a list of sums with the file", ErrUnsigned, at.Redacted())
	}
	if err != nil {
		return err
	}
	name, also := install.File, install.Verify
	install.Verify = func(ctx context.Context, file *os.File) error {
		if err := c.Signatures.verify(ctx, Signed{Name: name, Content: file, Signature: signature}); err != nil {
			return err
		}
		if also == nil {
			return nil
		}
		if _, err := file.Seek(0, 0); err != nil {
			return err
		}
		return also(ctx, file)
	}
	return nil
}

// isMissing reports whether a server has nothing at an address. Some file servers
// answer 403 instead of 404.
func isMissing(err error) bool {
	var status *StatusError
	return errors.As(err, &status) &&
		(status.Code == http.StatusNotFound || status.Code == http.StatusGone || status.Code == http.StatusForbidden)
}
