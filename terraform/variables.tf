# Where

variable "project_id" {
  description = "Google Cloud project. One project per environment."
  type        = string
}

variable "environment" {
  description = "Name of the environment, as a label on everything."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment must be dev or prod: each has a file in env/."
  }
}

variable "region" {
  description = "Region of the functions, queues and schedules."
  type        = string
  default     = "europe-west1"
}

variable "firestore_location" {
  description = "Location of the database; it can never be changed."
  type        = string
  default     = "eur3"
}

variable "bigquery_location" {
  description = "Location of the datasets in BigQuery; it can never be changed."
  type        = string
  default     = "EU"
}

variable "message_regions" {
  description = "Regions where Pub/Sub may store messages."
  type        = list(string)
  default     = ["europe-west1", "europe-west3", "europe-west4"]
}

variable "source_repository" {
  description = "Cloud Build's connection to the Git repository: projects/P/locations/L/connections/C/repositories/R."
  type        = string
}

variable "state_bucket" {
  description = "Bucket of the Terraform state, made by hand before the first run; the deployer reads and writes it."
  type        = string
}

# What runs

variable "bundles" {
  description = "Function to the object of its bundle in the bundle bucket. Written by release/bundles.ts; an object's name holds its SHA-256, so that only functions that changed are deployed again."
  type        = map(string)
}

variable "canary_functions" {
  description = "Functions whose new revision gets no traffic until release/canary.ts gives it some. Leave it empty at the first deployment."
  type        = set(string)
  default     = []
}

variable "max_instances" {
  description = "Most instances of a function that does not say so itself."
  type        = number
  default     = 20
}

variable "relay_min_instances" {
  description = "Instances of capi-relay that are kept warm."
  type        = number
  default     = 0
}

variable "log_level" {
  description = "What the functions log: debug, info, warn or error."
  type        = string
  default     = "info"
}

variable "trace_sample_ratio" {
  description = "The part of traces that is recorded, 0 to 1. With 0 no span is made and no exporter loaded."
  type        = number
  default     = 0

  validation {
    condition     = var.trace_sample_ratio >= 0 && var.trace_sample_ratio <= 1
    error_message = "trace_sample_ratio is a part of all traces, from 0 to 1."
  }
}

# Meta

variable "meta_app_id" {
  description = "Id of the Meta app."
  type        = string
}

variable "meta_parent_business_id" {
  description = "Id of Kobi's own Business Manager."
  type        = string
}

variable "meta_login_config_id" {
  description = "Configuration id of Facebook Login for Business."
  type        = string
}

variable "meta_extended_credit_id" {
  description = "Id of the line of credit that child businesses spend on."
  type        = string
}

variable "provisioning_path" {
  description = "auto, two-tier or fallback (while PRE-10 is pending)."
  type        = string
  default     = "auto"
}

# Who

variable "operators" {
  description = "IAM members who may call every function whose manifest says \"iam\" or \"iap\": a group of Kobi's operators."
  type        = list(string)
}

variable "callers" {
  description = "Function to further IAM members who may call it, such as the portal's service account."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = alltrue([for member in flatten(values(var.callers)) : !contains(["allUsers", "allAuthenticatedUsers"], member)])
    error_message = "callers names people and service accounts; a public function says so in its own manifest."
  }
}

variable "alert_email" {
  description = "Where alerts go."
  type        = string
}

variable "billing_account" {
  description = "Id of the billing account, where its spending is to be told; the deployer needs roles/billing.costsManager on it. Null: nobody is told."
  type        = string
  default     = null
}

variable "budget_dollars" {
  description = "What a month may cost before alert_email is told; LIMITS.md works it out by size."
  type        = number
  default     = 200
}

variable "deployer" {
  description = "E-mail address of the service account that Cloud Build runs Terraform as, made by hand before the first run."
  type        = string
}

# Names in the world

variable "domain" {
  description = "Host name of the load balancer: the relay answers at its root, every public function under /<function>/."
  type        = string
}

variable "tenant_domains" {
  description = "Client subdomains that lead to the relay, tenant to host name. Each gets a certificate once its two DNS records exist (output dns_records)."
  type        = map(string)
  default     = {}
}

variable "relay_requests_per_minute" {
  description = "Requests one address may send in a minute before it is answered 429."
  type        = number
  default     = 6000
}
