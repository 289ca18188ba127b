package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackfield-go/jackfield/discovery/store"
)

// client makes the requests of one installation.
type client struct {
	Fetcher

	transport http.RoundTripper
	close     func()
}

func (f Fetcher) client() *client {
	c := &client{Fetcher: f, transport: f.Transport, close: func() {}}
	c.MaxRedirects = cmp.Or(f.MaxRedirects, defaultMaxRedirects)
	c.StallTimeout = cmp.Or(f.StallTimeout, defaultStallTimeout)
	if c.transport == nil {
		// Connections of its own end with the installation.
		own := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
		c.transport, c.close = own, own.CloseIdleConnections
	}
	return c
}

// transfer is the body of an answer. It ends with Close.
type transfer struct {
	url      string
	body     io.ReadCloser
	size     int64 // -1: the server did not say
	got      int64
	vouched  bool // only trusted hosts had a hand in it
	ctx      context.Context
	watchdog *watchdog
}

// get asks for an address. Unless elsewhere is allowed, a redirect to an untrusted
// host is an error. The connection ends with the last request.
func (c *client) get(ctx context.Context, address *url.URL, elsewhere, last bool) (*transfer, error) {
	shown := address.Redacted()
	if c.insecure(address) {
		return nil, fmt.Errorf("%s: %w", shown, ErrInsecure)
	}
	ctx, stop := context.WithCancelCause(ctx)
	t := &transfer{url: shown, vouched: true, ctx: ctx, watchdog: watch(c.StallTimeout, stop)}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		t.watchdog.end()
		return nil, err
	}
	// The sum is of the content, not of a server's encoding on the way.
	request.Header.Set("Accept-Encoding", "identity")
	request.Close = last // net/http prints content beyond the server's stated length
	redirects := &redirects{client: c, first: address, elsewhere: elsewhere}
	answer, err := (&http.Client{Transport: c.transport, CheckRedirect: redirects.check}).Do(request) //nolint:bodyclose // the transfer closes it
	if err != nil {
		defer t.watchdog.end()
		return nil, t.failed(err)
	}
	t.body, t.size, t.vouched = answer.Body, answer.ContentLength, !redirects.moved
	if answer.StatusCode != http.StatusOK {
		t.Close()
		return nil, &StatusError{URL: shown, Code: answer.StatusCode, Status: answer.Status}
	}
	t.watchdog.reset()
	return t, nil
}

func (t *transfer) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	t.got += int64(n)
	if n > 0 {
		t.watchdog.reset()
	}
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		err = t.failed(err)
	case t.size >= 0 && t.got != t.size:
		err = t.failed(io.ErrUnexpectedEOF)
	}
	t.watchdog.end() // the use of the content may take its time
	return n, err
}

func (t *transfer) Close() {
	t.body.Close()
	t.watchdog.end()
}

// failed says why a transfer broke off. The caller's own context, and refusals, speak
// for themselves.
func (t *transfer) failed(err error) error {
	var redirect *RedirectError
	var address *url.Error
	switch cause := context.Cause(t.ctx); {
	case errors.As(err, &redirect):
		return redirect
	case errors.Is(cause, ErrStalled):
		err = ErrStalled
	case cause != nil:
		return cause
	case errors.As(err, &address):
		err = address.Err
	}
	size := t.size
	if t.body == nil {
		size = -1
	}
	return &TransferError{URL: t.url, Got: t.got, Want: size, Err: err}
}

// redirects decides whether a redirect is followed.
type redirects struct {
	*client

	first     *url.URL
	elsewhere bool // an untrusted host will do
	moved     bool // there was one
}

func (r *redirects) check(request *http.Request, via []*http.Request) error {
	request.Header.Del("Referer") // the address may hold a key
	from, to := via[len(via)-1].URL, request.URL
	refuse := func(reason string) error {
		return &RedirectError{From: from.Redacted(), To: to.Redacted(), Reason: reason}
	}
	switch {
	case len(via) > max(r.MaxRedirects, 0):
		return refuse(fmt.Sprintf("it exceeds the limit of %d redirects", max(r.MaxRedirects, 0)))
	case to.Scheme != "https" && to.Scheme != "http":
		return refuse("it is no https address")
	case from.Scheme == "https" && to.Scheme == "http":
		return refuse("it leads from https to plain http, where anybody on the way could exchange the file")
	case r.insecure(to):
		return refuse(ErrInsecure.Error())
	}
	if sameHost(to, r.first) || slices.ContainsFunc(r.Hosts, func(host string) bool { return strings.EqualFold(host, to.Host) }) {
		return nil
	}
	r.moved = true
	if !r.elsewhere {
		return refuse("it is another host, and neither a sum from the first host or the caller nor a signature vouches for its content")
	}
	return nil
}

// sameHost compares hosts with their ports.
func sameHost(a, b *url.URL) bool {
	return strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}

// insecure reports whether somebody on the way could change the content. On the way
// to this machine itself nobody can.
func (c *client) insecure(u *url.URL) bool {
	if u.Scheme == "https" || c.AllowHTTP || strings.EqualFold(u.Hostname(), "localhost") {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip == nil || !ip.IsLoopback()
}

// all returns the content at an address, of at most limit bytes.
func (c *client) all(ctx context.Context, address *url.URL, limit int64, elsewhere bool) (data []byte, vouched bool, err error) {
	t, err := c.get(ctx, address, elsewhere, false)
	if err != nil {
		return nil, false, err
	}
	defer t.Close()
	data, err = io.ReadAll(io.LimitReader(t, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &store.SizeError{Path: t.url, Limit: limit}
	}
	return data, t.vouched, err
}

// watchdog ends a request without progress.
type watchdog struct {
	timeout time.Duration
	timer   *time.Timer // nil: nothing bounds it
	stop    context.CancelCauseFunc
}

func watch(timeout time.Duration, stop context.CancelCauseFunc) *watchdog {
	w := &watchdog{timeout: timeout, stop: stop}
	if timeout > 0 {
		w.timer = time.AfterFunc(timeout, func() { stop(ErrStalled) })
	}
	return w
}

func (w *watchdog) reset() {
	if w.timer != nil {
		w.timer.Reset(w.timeout)
	}
}

func (w *watchdog) end() {
	if w.timer != nil {
		w.timer.Stop()
	}
	w.stop(context.Canceled)
}
