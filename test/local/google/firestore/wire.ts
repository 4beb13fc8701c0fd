/**
 * The messages of google.firestore.v1 that the embedded Firestore reads and writes, as `grpc-service.ts` decodes them:
 * int64 as decimal strings, enums by name, and a field of the oneof's name saying which member is set.
 * Source: Firestore RPC reference, package google.firestore.v1.
 */

export type Timestamp = { seconds: string; nanos: number };
export type Fields = { [name: string]: Value };

export type Value =
  | { valueType: 'nullValue'; nullValue: 'NULL_VALUE' }
  | { valueType: 'booleanValue'; booleanValue: boolean }
  | { valueType: 'integerValue'; integerValue: string }
  | { valueType: 'doubleValue'; doubleValue: number }
  | { valueType: 'timestampValue'; timestampValue: Timestamp }
  | { valueType: 'stringValue'; stringValue: string }
  | { valueType: 'bytesValue'; bytesValue: Buffer }
  | { valueType: 'referenceValue'; referenceValue: string }
  | { valueType: 'geoPointValue'; geoPointValue: { latitude: number; longitude: number } }
  | { valueType: 'arrayValue'; arrayValue: { values: Value[] } }
  | { valueType: 'mapValue'; mapValue: { fields: Fields } };

export type Precondition =
  { conditionType: 'exists'; exists: boolean } | { conditionType: 'updateTime'; updateTime: Timestamp };

export type FieldTransform = { fieldPath: string } & (
  | { transformType: 'setToServerValue'; setToServerValue: string }
  | { transformType: 'increment'; increment: Value }
  | { transformType: 'maximum'; maximum: Value }
  | { transformType: 'minimum'; minimum: Value }
  | { transformType: 'appendMissingElements'; appendMissingElements: { values: Value[] } }
  | { transformType: 'removeAllFromArray'; removeAllFromArray: { values: Value[] } }
);

export type DocumentMask = { fieldPaths: string[] };

export type Write = {
  updateMask?: DocumentMask | null;
  updateTransforms?: FieldTransform[];
  currentDocument?: Precondition | null;
} & (
  | { operation: 'update'; update: { name: string; fields: Fields } }
  | { operation: 'delete'; delete: string }
  | { operation: 'verify'; verify: string }
  | { operation: 'transform'; transform: { document: string; fieldTransforms: FieldTransform[] } }
);

export type WriteResult = { updateTime: Timestamp | null; transformResults: Value[] };

export type WireDocument = { name: string; fields: Fields; createTime: Timestamp; updateTime: Timestamp };

export type FieldOperator =
  | 'LESS_THAN'
  | 'LESS_THAN_OR_EQUAL'
  | 'GREATER_THAN'
  | 'GREATER_THAN_OR_EQUAL'
  | 'EQUAL'
  | 'NOT_EQUAL'
  | 'ARRAY_CONTAINS'
  | 'IN'
  | 'ARRAY_CONTAINS_ANY'
  | 'NOT_IN';

export type Filter =
  | { filterType: 'compositeFilter'; compositeFilter: { op: 'AND' | 'OR'; filters: Filter[] } }
  | {
      filterType: 'fieldFilter';
      fieldFilter: { field: { fieldPath: string }; op: FieldOperator; value: Value };
    }
  | {
      filterType: 'unaryFilter';
      unaryFilter: { field: { fieldPath: string }; op: 'IS_NAN' | 'IS_NULL' | 'IS_NOT_NAN' | 'IS_NOT_NULL' };
    };

export type Direction = 'ASCENDING' | 'DESCENDING';
export type Order = { field: { fieldPath: string }; direction: Direction | 'DIRECTION_UNSPECIFIED' };
export type Cursor = { values: Value[]; before: boolean };

export type StructuredQuery = {
  from: { collectionId: string; allDescendants: boolean }[];
  select?: { fields: { fieldPath: string }[] } | null;
  where?: Filter | null;
  orderBy: Order[];
  startAt?: Cursor | null;
  endAt?: Cursor | null;
  offset: number;
  limit?: { value: number } | null;
  findNearest?: object | null;
};

export type Aggregation = { alias: string } & (
  | { operator: 'count'; count: { upTo?: { value: string } | null } }
  | { operator: 'sum'; sum: { field: { fieldPath: string } } }
  | { operator: 'avg'; avg: { field: { fieldPath: string } } }
);

export type TransactionOptions = {
  readOnly?: { readTime?: Timestamp | null } | null;
  readWrite?: { retryTransaction: Buffer } | null;
};

/** How a read says which transaction, if any, it belongs to. */
export type ReadConsistency = {
  transaction?: Buffer;
  newTransaction?: TransactionOptions;
  readTime?: Timestamp;
};

export type BatchGetRequest = ReadConsistency & { database: string; documents: string[]; mask?: DocumentMask | null };
export type GetRequest = ReadConsistency & { name: string; mask?: DocumentMask | null };
export type RunQueryRequest = ReadConsistency & { parent: string; structuredQuery: StructuredQuery };
export type RunAggregationRequest = ReadConsistency & {
  parent: string;
  structuredAggregationQuery: { structuredQuery: StructuredQuery; aggregations: Aggregation[] };
};
export type CommitRequest = { database: string; writes: Write[]; transaction: Buffer };
export type BatchWriteRequest = { database: string; writes: Write[] };
export type BeginRequest = { database: string; options?: TransactionOptions | null };
export type RollbackRequest = { database: string; transaction: Buffer };
export type ListDocumentsRequest = ReadConsistency & {
  parent: string;
  collectionId: string;
  pageSize: number;
  pageToken: string;
  mask?: DocumentMask | null;
  showMissing: boolean;
};
export type ListCollectionIdsRequest = { parent: string; pageSize: number; pageToken: string };

export type ListenTarget = {
  targetId: number;
  once: boolean;
  resumeToken?: Buffer;
} & (
  | { targetType: 'query'; query: { parent: string; structuredQuery: StructuredQuery } }
  | { targetType: 'documents'; documents: { documents: string[] } }
);
export type ListenRequest = { database: string } & (
  { targetChange: 'addTarget'; addTarget: ListenTarget } | { targetChange: 'removeTarget'; removeTarget: number }
);
