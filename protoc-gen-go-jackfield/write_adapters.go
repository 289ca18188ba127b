package main

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/gofeaturespb"
)

func quote(text string) string { return strconv.Quote(text) }

// unexported returns a service's name with a small first letter, for unexported types.
func unexported(s *service) string { return strings.ToLower(s.GoName[:1]) + s.GoName[1:] }

// grpcIdent returns a name of the service from protoc-gen-go-grpc.
func (s *service) grpcIdent(before, after string) protogen.GoIdent {
	return s.file.GoImportPath.Ident(before + s.GoName + after)
}

// client writes the adapter from a connection to the interface.
func (w *writer) client(s *service) {
	conn := unexported(s) + "Conn"
	w.lines("",
		"// New"+s.GoName+" returns the "+s.GoName+" that the other side serves over conn.",
		[]any{"func New", s.GoName, "(b *", transportPackage.Ident("Broker"), ", conn ", grpcPackage.Ident("ClientConnInterface"),
			") (", s.GoName, ", error) {"},
		[]any{"return &", conn, "{client: ", s.grpcIdent("New", "Client"), "(conn), broker: b}, nil"},
		"}",
		"",
		"// "+conn+" calls the other side.",
		"type "+conn+" struct {",
		[]any{"client ", s.grpcIdent("", "Client")},
		[]any{"broker *", transportPackage.Ident("Broker")},
		"}",
	)
	for _, method := range s.methods {
		w.P()
		w.P("func (c *", conn, ") ", w.signature(method), " {")
		w.clientBody(method)
		w.P("}")
		if len(method.lent) > 0 {
			w.lend(conn, method)
		}
	}
}

// clientBody writes the statements of a method of a client.
func (w *writer) clientBody(method *method) {
	call := "c.client." + method.GoName
	var helper, stream string
	input, output := w.QualifiedGoIdent(method.Input.GoIdent), w.QualifiedGoIdent(method.Output.GoIdent)
	switch in, out := method.Desc.IsStreamingClient(), method.Desc.IsStreamingServer(); {
	case in && out:
		helper, stream = "Exchange", "SendReceiver["+input+", "+output+"]"
	case in:
		helper, stream = "Send", "SendCloser["+input+", "+output+"]"
	case out:
		helper, stream = "Receive", "Receiver["+output+"]"
	default:
		w.unaryBody(method, call)
		return
	}
	ctx := w.QualifiedGoIdent(contextPackage.Ident("Context"))
	params, args := "ctx", "ctx"
	if method.Desc.IsStreamingClient() {
		params += ", reqs"
	} else {
		args += ", req"
	}
	w.P("return ", gluePackage.Ident(helper), "(", params, ", func(ctx ", ctx, ") (", w.QualifiedGoIdent(gluePackage.Ident(stream)), ", error) {")
	if len(method.lent) > 0 {
		w.lines("req, err := c.lend"+method.GoName+"(ctx, req"+lentArguments(method)+")", "if err != nil {", "return nil, err", "}")
	}
	w.P("return ", call, "(", args, ")")
	w.P("})")
}

// unaryBody writes the statements of a method with one request and one response.
func (w *writer) unaryBody(method *method, call string) {
	if len(method.lent) > 0 {
		w.lines(
			[]any{"ctx, cancel := ", contextPackage.Ident("WithCancel"), "(ctx)"},
			"defer cancel() // ends the lending",
			"req, err := c.lend"+method.GoName+"(ctx, req"+lentArguments(method)+")",
			"if err != nil {", "return nil, err", "}")
	}
	w.P("resp, err := ", call, "(ctx, req)")
	w.P("return resp, ", gluePackage.Ident("FromStatus"), "(err)")
}

// lend writes the function to lend a method's parameters.
func (w *writer) lend(conn string, method *method) {
	input := w.QualifiedGoIdent(method.Input.GoIdent)
	w.lines("",
		"// lend"+method.GoName+" lends the parameters until ctx ends. The request gets their IDs.",
		[]any{"func (c *", conn, ") lend", method.GoName, "(ctx ", contextPackage.Ident("Context"), ", req *", input, w.lentParameters(method), ") (*", input, ", error) {"},
		[]any{"req = ", gluePackage.Ident("Copy"), "(req)"})
	for _, l := range method.lent {
		id := l.param + "ID"
		switch {
		case l.service != nil:
			w.P(id, ", err := ", gluePackage.Ident("Lend"), "(ctx, c.broker, ", w.ident(l.service, "Register"), ", ", l.param, ")")
		case l.writer:
			w.P(id, ", err := ", gluePackage.Ident("LendWriter"), "(ctx, c.broker, ", l.param, ")")
		default:
			w.P(id, ", err := ", gluePackage.Ident("LendReader"), "(ctx, c.broker, ", l.param, ")")
		}
		w.lines("if err != nil {", "return nil, err", "}")
		w.setID(l, id)
	}
	w.lines("return req, nil", "}")
}

// setID writes the statement to put an ID into a request.
func (w *writer) setID(l *lent, id string) {
	switch {
	case l.Parent.APILevel != gofeaturespb.GoFeatures_API_OPEN:
		w.P("req.Set", l.GoName, "(", id, ")")
	case l.Desc.HasPresence():
		w.P("req.", l.GoName, " = ", protoPackage.Ident("Uint32"), "(", id, ")")
	default:
		w.P("req.", l.GoName, " = ", id)
	}
}

// server writes the adapter from an implementation to a gRPC server.
func (w *writer) server(s *service) {
	handler := unexported(s) + "Handler"
	w.lines("",
		"// Register"+s.GoName+" serves impl on r.",
		[]any{"func Register", s.GoName, "(b *", transportPackage.Ident("Broker"), ", r ", grpcPackage.Ident("ServiceRegistrar"),
			", impl ", s.GoName, ") error {"},
	)
	if len(s.host) > 0 {
		w.P(gluePackage.Ident("UseHost"), "(b, impl)")
	}
	w.lines(
		[]any{s.grpcIdent("Register", "Server"), "(r, &", handler, "{impl: impl, broker: b})"},
		"return nil",
		"}",
		"",
		"// "+handler+" serves an implementation.",
		"type "+handler+" struct {",
		[]any{s.grpcIdent("Unimplemented", "Server")},
		"",
		"impl "+s.GoName,
		[]any{"broker *", transportPackage.Ident("Broker")},
		"}",
	)
	for _, method := range s.methods {
		w.P()
		w.handle(s, handler, method)
	}
}

// handle writes a method of a server.
func (w *writer) handle(s *service, handler string, method *method) {
	in, out := method.Desc.IsStreamingClient(), method.Desc.IsStreamingServer()
	input, output := w.QualifiedGoIdent(method.Input.GoIdent), w.QualifiedGoIdent(method.Output.GoIdent)
	stream := w.QualifiedGoIdent(s.file.GoImportPath.Ident(s.GoName + "_" + method.GoName + "Server"))
	receiver := "func (h *" + handler + ") " + method.GoName
	call := "h.impl." + method.GoName
	toStatus := w.QualifiedGoIdent(gluePackage.Ident("ToStatus"))
	switch {
	case in && out:
		w.P(receiver, "(stream ", stream, ") error {")
		w.P("return ", gluePackage.Ident("SendAll"), "(stream, ", call, "(stream.Context(), ", gluePackage.Ident("Received"), "(stream)))")
	case in:
		w.lines([]any{receiver, "(stream ", stream, ") error {"},
			[]any{"resp, err := ", call, "(stream.Context(), ", gluePackage.Ident("Received"), "(stream))"},
			"if err != nil {", "return "+toStatus+"(err)", "}",
			"return stream.SendAndClose(resp)")
	case out:
		w.P(receiver, "(req *", input, ", stream ", stream, ") ", results("", "err", method), " {")
		w.borrow(method, "stream.Context()", "")
		w.P("return ", gluePackage.Ident("SendAll"), "(stream, ", call, "(stream.Context(), req", lentArguments(method), "))")
	default:
		w.P(receiver, "(ctx ", contextPackage.Ident("Context"), ", req *", input, ") ", results("*"+output, "err", method), " {")
		w.borrow(method, "ctx", "nil, ")
		define := ":="
		if writes(method) {
			define = "="
		}
		w.P("resp, err ", define, " ", call, "(ctx, req", lentArguments(method), ")")
		w.P("return resp, ", toStatus, "(err)")
	}
	w.P("}")
}

// results returns the results of a server's method. They have names if the method lends a
// writer: closing the writer may still change the error.
func results(output, err string, method *method) string {
	switch named := writes(method); {
	case output == "" && named:
		return "(" + err + " error)"
	case output == "":
		return "error"
	case named:
		return "(resp " + output + ", " + err + " error)"
	default:
		return "(" + output + ", error)"
	}
}

// writes reports whether a method lends a writer.
func writes(method *method) bool {
	for _, l := range method.lent {
		if l.writer {
			return true
		}
	}
	return false
}

// borrow writes the statements to borrow a request's lent services, readers and writers.
func (w *writer) borrow(method *method, ctx, none string) {
	for _, l := range method.lent {
		id := "req.Get" + l.GoName + "()"
		end := "end" + strings.ToUpper(l.param[:1]) + l.param[1:]
		switch {
		case l.service != nil:
			w.P(l.param, ", err := ", gluePackage.Ident("Borrow"), "(", ctx, ", h.broker, ", id, ", ", w.ident(l.service, "New"), ")")
			end = ""
		case l.writer:
			w.P(l.param, ", ", end, ", err := ", gluePackage.Ident("BorrowWriter"), "(", ctx, ", h.broker, ", id, ")")
			end += "(&err)"
		default:
			w.P(l.param, ", ", end, ", err := ", gluePackage.Ident("BorrowReader"), "(", ctx, ", h.broker, ", id, ")")
			end += "()"
		}
		w.lines("if err != nil {", "return "+none+"err", "}")
		if end != "" {
			w.P("defer ", end)
		}
	}
}
