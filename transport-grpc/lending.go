package transportgrpc

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"
)

// Two sides of this package lend without cost (protocol §10): a lent service is an entry in a
// table, and one connection for each direction carries the calls of all. These are the names
// by which they agree on it. The value of each is lendingVersion.
const (
	// envFields is the variable by which a host asks for fields of the handshake line.
	envFields = "PLUGIN_HANDSHAKE_FIELDS"
	// fieldLending is the plugin's field, for a host that has asked for it.
	fieldLending = "lending"
	// lendingKey is metadata of the host's broker stream to a plugin with the field.
	lendingKey = "jackfield-lending"
	// hostServicesKey is metadata there if the host offers services.
	hostServicesKey = "jackfield-host-services"

	lendingVersion = "1"
)

// referenceKey is metadata of a call to a lent service: its ID in decimal.
const referenceKey = "jackfield-reference"

// IDs from firstReference on are references: 6 bits with the number of the lender's server,
// and 25 bits that count its lendings from 1. Number 0 is the server's own ID, to dial. The
// host's services have a number of their own.
const (
	firstReference = 1 << 31
	referenceBits  = 25
	maxServers     = 1 << (31 - referenceBits)
	maxNumber      = 1<<referenceBits - 1
	hostServices   = 1
	firstNumber    = 2
)

func referenceOf(server, number uint32) uint32 {
	return firstReference | server<<referenceBits | number
}

// splitReference is the reverse of referenceOf.
func splitReference(id uint32) (server, number uint32) {
	return id &^ firstReference >> referenceBits, id & maxNumber
}

// announcesLending reads the fields of a plugin's handshake line.
func announcesLending(fields []string) bool {
	return len(fields) > 1 && slices.Contains(fields[1:], fieldLending+"="+lendingVersion)
}

// asksForLending reads a plugin's environment.
func asksForLending(lookup func(string) (string, bool)) bool {
	names, _ := lookup(envFields)
	return slices.Contains(strings.Split(names, ","), fieldLending)
}

// withLending adds a host's metadata for the broker's stream.
func withLending(ctx context.Context, services bool) context.Context {
	ctx = metadata.AppendToOutgoingContext(ctx, lendingKey, lendingVersion)
	if services {
		ctx = metadata.AppendToOutgoingContext(ctx, hostServicesKey, lendingVersion)
	}
	return ctx
}

// hasMetadata reports whether the broker's stream of a host has lendingVersion at key.
func hasMetadata(ctx context.Context, key string) bool {
	return slices.Contains(metadata.ValueFromIncomingContext(ctx, key), lendingVersion)
}
