package transportnetrpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
	"github.com/jackfield-go/jackfield/transport-netrpc/rpc"
	"github.com/jackfield-go/jackfield/yamux"
)

// user is a plugin using the host's loans.
type user struct{ broker *netrpc.Broker }

func newUser(b *netrpc.Broker) (any, error) { return &user{b}, nil }

func (u *user) Count(ctx context.Context, o netrpc.ObjectRef, n *int) error {
	c, err := u.broker.Borrow(ctx, o)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Call(ctx, "Next", struct{}{}, n)
}

// ReadArgs asks for so many bytes of a reader; all for below 0.
type ReadArgs struct {
	From netrpc.ReaderRef
	Most int64
}

func (u *user) Read(ctx context.Context, args ReadArgs, data *[]byte) error {
	r, err := u.broker.BorrowReader(ctx, args.From)
	if err != nil {
		return err
	}
	defer r.Close()
	var from io.Reader = r
	if args.Most >= 0 {
		from = io.LimitReader(r, args.Most)
	}
	*data, err = io.ReadAll(from)
	return err
}

// WriteArgs is a text to write, in how many pieces.
type WriteArgs struct {
	To     netrpc.WriterRef
	Text   string
	Pieces int
}

func (u *user) Write(ctx context.Context, args WriteArgs, _ *int) error {
	w, err := u.broker.BorrowWriter(ctx, args.To)
	if err != nil {
		return err
	}
	for range args.Pieces {
		if _, err := io.WriteString(w, args.Text); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return w.Close() // again, with the same result
}

func newUserHost(t *testing.T) handle {
	t.Helper()
	return rigUp(t, netrpc.New(served(newUser))).connect(t, nil).dispense(t)
}

func TestZeroReferenceIsAnErrorAtOnce(t *testing.T) {
	it := newUserHost(t)
	for method, args := range map[string]any{"Count": netrpc.ObjectRef{}, "Read": ReadArgs{}, "Write": WriteArgs{}} {
		if err := it.Call(within(t), method, args, nil); err == nil || !strings.Contains(err.Error(), "lent nothing") {
			t.Errorf("%s: got %v, want an error that says that nothing was lent", method, err)
		}
	}
}

func TestObjectIsServedOverManyConnections(t *testing.T) {
	it := newUserHost(t)
	object, err := it.broker.Lend(t.Context(), new(counter))
	if err != nil {
		t.Fatal(err)
	}
	for want := 1; want <= 3; want++ { // over a connection each
		var n int
		if err := it.Call(within(t), "Count", object, &n); err != nil || n != want {
			t.Fatalf("got %d, %v, want %d", n, err, want)
		}
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	it := newUserHost(t)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	id := it.broker.NextID()
	serving := async(func() error { return it.broker.Serve(ctx, id, new(counter)) })
	var n int
	if err := it.Call(within(t), "Count", netrpc.ObjectRef{ID: id}, &n); err != nil || n != 1 {
		t.Fatalf("got %d, %v", n, err)
	}
	cancel(why)
	if err := receive(t, "Serve", serving); !errors.Is(err, why) {
		t.Errorf("got %v, want the context's cause", err)
	}
}

func TestObjectWithoutMethodsCannotBeLent(t *testing.T) {
	it := newUserHost(t)
	if _, err := it.broker.Lend(t.Context(), struct{}{}); err == nil {
		t.Error("Lend returned no error")
	}
	if err := it.broker.Serve(t.Context(), 1, struct{}{}); err == nil {
		t.Error("Serve returned no error")
	}
}

func TestReferencesWorkInParallel(t *testing.T) {
	it := newUserHost(t)
	var all sync.WaitGroup
	for i := range 40 {
		text := fmt.Sprintf("number %d;", i)
		ctx, cancel := context.WithCancel(within(t))
		all.Go(func() {
			defer cancel()
			var got []byte
			r := it.broker.LendReader(ctx, strings.NewReader(strings.Repeat(text, 5000)))
			if err := it.Call(ctx, "Read", ReadArgs{r, -1}, &got); err != nil || string(got) != strings.Repeat(text, 5000) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			var written bytes.Buffer
			w := it.broker.LendWriter(ctx, &written)
			if err := it.Call(ctx, "Write", WriteArgs{w, text, 100}, nil); err != nil || written.String() != strings.Repeat(text, 100) {
				t.Errorf("%d bytes were written, %v", written.Len(), err)
			}
		})
	}
	all.Wait()
}

// endless never ends, and tells when it is read no more.
type endless struct{ reads chan struct{} }

func (e endless) Read(p []byte) (int, error) {
	select {
	case e.reads <- struct{}{}:
	default:
	}
	return len(p), nil
}

func TestReaderThatIsClosedEarlyIsReadNoMore(t *testing.T) {
	it := newUserHost(t) // its end expects no reading goroutine
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []byte
	r := it.broker.LendReader(ctx, endless{make(chan struct{})})
	if err := it.Call(within(t), "Read", ReadArgs{r, 1000}, &got); err != nil || len(got) != 1000 {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	var n int
	object, err := it.broker.Lend(ctx, new(counter))
	if err != nil {
		t.Fatal(err)
	}
	if err := it.Call(within(t), "Count", object, &n); err != nil || n != 1 {
		t.Errorf("afterwards: %d, %v", n, err)
	}
}

func TestReadersFailureIsNotItsEnd(t *testing.T) {
	it := newUserHost(t)
	r := it.broker.LendReader(t.Context(), io.MultiReader(strings.NewReader("some"), iotest.ErrReader(errExpected)))
	if err := it.Call(within(t), "Read", ReadArgs{r, -1}, nil); err == nil {
		t.Error("a reader's failure was taken for its end")
	}
}

// stuck blocks its reader until it is released.
type stuck struct{ reading, release chan struct{} }

func (s stuck) Read([]byte) (int, error) {
	close(s.reading)
	<-s.release
	return 0, io.EOF
}

func TestEndOfAContextBreaksItsStreams(t *testing.T) {
	it := newUserHost(t)
	s := stuck{make(chan struct{}), make(chan struct{})}
	defer close(s.release)
	ctx, cancel := context.WithCancel(t.Context())
	reading := async(func() error {
		return it.Call(within(t), "Read", ReadArgs{it.broker.LendReader(ctx, s), -1}, nil)
	})
	receive(t, "the reader", s.reading)
	cancel()
	if err := receive(t, "the call that reads", reading); err == nil {
		t.Error("a stream that was broken off was taken for whole")
	}
}

// blocked blocks its writer until it is released.
type blocked struct{ writing, release chan struct{} }

func (b blocked) Write(p []byte) (int, error) {
	b.writing <- struct{}{}
	<-b.release
	return len(p), nil
}

func TestClosingAWriterWaitsForTheDelivery(t *testing.T) {
	it := newUserHost(t)
	b := blocked{make(chan struct{}, 1), make(chan struct{})}
	writing := async(func() error {
		return it.Call(within(t), "Write", WriteArgs{it.broker.LendWriter(t.Context(), b), "text", 1}, nil)
	})
	receive(t, "the writer", b.writing)
	// Answers to later calls come first, since this one waits.
	if err := it.Call(within(t), "Count", netrpc.ObjectRef{}, nil); err == nil {
		t.Error("no error")
	}
	select {
	case err := <-writing:
		t.Fatalf("Close returned before the text was written: %v", err)
	default:
	}
	close(b.release)
	if err := receive(t, "the call that writes", writing); err != nil {
		t.Error(err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errExpected }

func TestWritersFailureIsTheOtherSidesToo(t *testing.T) {
	it := newUserHost(t)
	for _, pieces := range []int{1, 1000} { // noticed by Close, and by Write
		w := it.broker.LendWriter(t.Context(), full{})
		if err := it.Call(within(t), "Write", WriteArgs{w, strings.Repeat("x", 1000), pieces}, nil); err == nil {
			t.Errorf("%d pieces: the failure was lost", pieces)
		}
	}
}

// Offer lends an object, for as long as the connection lives.
func (u *user) Offer(ctx context.Context, _ struct{}, o *netrpc.ObjectRef) (err error) {
	*o, err = u.broker.Lend(ctx, new(counter))
	return err
}

func TestBorrowedObjectIsGivenBackWithItsContext(t *testing.T) {
	it := newUserHost(t)
	var offered netrpc.ObjectRef
	if err := it.Call(within(t), "Offer", struct{}{}, &offered); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	c, err := it.broker.Borrow(ctx, offered)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil { // until the client has heard of the context's end
		err = c.Call(within(t), "Next", struct{}{}, nil)
		cancel()
	}
	if !errors.Is(err, core.ErrClosed) {
		t.Errorf("got %v, want core.ErrClosed", err)
	}
}

func TestNilReadersAndWritersAreNotLent(t *testing.T) {
	it := newUserHost(t)
	if r, w := it.broker.LendReader(t.Context(), nil), it.broker.LendWriter(t.Context(), nil); r.ID != 0 || w.ID != 0 {
		t.Errorf("got %v and %v, want the zero references", r, w)
	}
}

// TestEndedBrokerIsClosed looks at all that a broker returns after its session's
// Close.
func TestEndedBrokerIsClosed(t *testing.T) {
	h := rigUp(t, netrpc.New(served(newUser))).connect(t, nil)
	b := h.dispense(t).broker
	listener, err := b.Listen(within(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := within(t)
	for name, call := range map[string]func() error{
		"Dial":         func() error { _, err := b.Dial(ctx, 1); return err },
		"Accept":       func() error { _, err := b.Accept(ctx, 1); return err },
		"Client":       func() error { _, err := b.Client(ctx, 1); return err },
		"Serve":        func() error { return b.Serve(ctx, 1, new(counter)) },
		"Borrow":       func() error { _, err := b.Borrow(ctx, netrpc.ObjectRef{ID: 1}); return err },
		"BorrowReader": func() error { _, err := b.BorrowReader(ctx, netrpc.ReaderRef{ID: 1}); return err },
		"BorrowWriter": func() error { _, err := b.BorrowWriter(ctx, netrpc.WriterRef{ID: 1}); return err },
	} {
		if err := call(); !errors.Is(err, core.ErrClosed) || !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: got %v, want core.ErrClosed and net.ErrClosed", name, err)
		}
	}
	if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept of a listener: got %v, want net.ErrClosed", err)
	}
}

func TestPeerGetsNoMoreObjectsThanAllowed(t *testing.T) {
	const allowed = 3
	lent := make(chan netrpc.ObjectRef, 1)
	r := rigUp(t, netrpc.New(netrpc.WithMaxServed(allowed), served(func(b *netrpc.Broker) (any, error) {
		o, err := b.Lend(context.WithoutCancel(t.Context()), new(counter))
		select {
		case lent <- o:
		default:
		}
		return new(counter), err
	})))
	h := r.connect(t, nil)
	first, second := h.dispense(t), h.dispense(t)
	first.next(t, 1)
	second.next(t, 1)
	object := receive(t, "a lent object", lent)
	borrowed, err := first.broker.Borrow(t.Context(), object)
	if err != nil {
		t.Fatal(err)
	}
	handle{Client: borrowed}.next(t, 1)

	var remote netrpc.RemoteError
	if _, err := h.Dispense(within(t), "it"); !errors.As(err, &remote) || !strings.Contains(err.Error(), "WithMaxServed") {
		t.Errorf("a dispense too many: %v", err)
	}
	if further, err := first.broker.Borrow(t.Context(), object); err == nil {
		err = further.Call(within(t), "Next", struct{}{}, nil)
		if !errors.Is(err, core.ErrConnectionLost) {
			t.Errorf("a call over a connection too many: %v", err)
		}
	}
	r.pluginLog.wait(t, "limit=3")
	second.Close()
	for ctx := within(t); ; { // until the plugin has noticed
		if _, err = h.Dispense(ctx, "it"); err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		t.Error(err)
	}
}

func TestDispensedObjectsWithoutAClientAreDropped(t *testing.T) {
	r := rigUp(t, netrpc.New(netrpc.WithMaxServed(2), served(newCounter)))
	mux, err := yamux.Client(r.raw(t), yamux.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer mux.Close()
	var control *rpc.Client
	for i := range 3 {
		stream, err := mux.Open(within(t))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			control = rpc.NewClient(stream, rpc.ClientConfig{})
			defer control.Close()
		}
	}
	var id uint32
	for range 100 {
		if err := control.Call(within(t), "Dispenser.Dispense", "it", &id); err != nil {
			t.Fatal(err)
		}
	}
	conns := broker.NewPrefixed(broker.Yamux(mux), broker.Config{})
	defer conns.Close()
	conn, err := conns.Dial(within(t), id)
	if err != nil {
		t.Fatal(err)
	}
	client := rpc.NewClient(conn, rpc.ClientConfig{})
	defer client.Close()
	handle{Client: client}.next(t, 1)
}
